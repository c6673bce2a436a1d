-- That ways to sign in of an account hold no more.

-- Called in the transaction that ends them.  Tells every instance when it commits, this one
-- included, which forget what they remember and look again at what is open.  "disconnects": the
-- account's connections to the broker are to be closed as well, once more after "again_after"
-- if that is more than 0, when the broker has forgotten the answers that it remembers.
CREATE FUNCTION sign_ins_changed(
    changed_account uuid, disconnects boolean, again_after interval
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    told_email text;
BEGIN
    UPDATE account SET sign_ins_changed_at = clock_timestamp() WHERE id = changed_account
        RETURNING email INTO told_email;
    IF disconnects THEN
        PERFORM connections_closed(changed_account, told_email, again_after);
    END IF;
    PERFORM pg_notify(
        'stacksync_hints', 'database sign-ins ' || replace(changed_account::text, '-', ''));
END
$$;

-- Leaves jobs that close an account's connections to the broker.
CREATE FUNCTION connections_closed(
    closed_account uuid, known_email text, again_after interval
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    arguments jsonb := jsonb_build_object(
        'account_id', closed_account,
        'logins', jsonb_build_array(closed_account::text, known_email));
    first_id bigint;
BEGIN
    first_id := job_added(
        'disconnect', 'broker:' || closed_account, arguments, NULL, NULL);
    IF again_after > interval '0' THEN
        PERFORM job_added(
            'disconnect', 'broker-again:' || closed_account, arguments, first_id, again_after);
    END IF;
END
$$;
