-- The commit: one transaction, one round trip, for one or several waiting requests.
--
-- Lock order: workspaces by id, then their owners' accounts by id.  Whoever
-- else locks these rows does it in this order.

-- workspaces: those of the requests.  requests: a JSON array of {account_id,
-- workspace_id, device_id, request_id, changes}, changes being item_change
-- objects.  waits: until nobody else holds the workspaces, or their owners'
-- accounts; if not, what is about those that are held is left undone.  Returns a JSON array with the answer to each, in the same order:
-- {revision, quota_limit, quota_used, repeated, outcomes: [{refusal, item}]},
-- the outcomes of the changes in the order asked and then of the items that
-- they touched; or {error}, which is workspace, device, role, reused or held.
CREATE FUNCTION commit_items(workspaces uuid[], requests jsonb, waits boolean) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
    request record;
    free_ids uuid[];
    owners uuid[];
    accounts uuid[];
    answers json[] := '{}';
BEGIN
    IF waits THEN
        SELECT array_agg(owner_id) INTO owners FROM (
            SELECT owner_id FROM workspace WHERE id = ANY (workspaces)
                ORDER BY id FOR NO KEY UPDATE) w;
        PERFORM FROM account WHERE id = ANY (owners) ORDER BY id FOR NO KEY UPDATE;
    ELSE
        SELECT array_agg(id), array_agg(owner_id) INTO free_ids, owners FROM (
            SELECT id, owner_id FROM workspace WHERE id = ANY (workspaces)
                ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) w;
        accounts := ARRAY(
            SELECT id FROM account WHERE id = ANY (owners)
                ORDER BY id FOR NO KEY UPDATE SKIP LOCKED);
    END IF;
    FOR request IN
        SELECT * FROM jsonb_to_recordset(requests) AS r (
            account_id uuid, workspace_id uuid, device_id uuid, request_id text, changes jsonb)
    LOOP
        IF waits OR owners[array_position(free_ids, request.workspace_id)] = ANY (accounts) THEN
            answers := array_append(answers, commit_request(
                request.account_id, request.workspace_id, request.device_id, request.request_id,
                request.changes));
        ELSE
            answers := array_append(answers, '{"error": "held"}');
        END IF;
    END LOOP;
    RETURN array_to_json(answers);
END;
$$;

-- One request, its workspace and the owner's account being locked.
CREATE FUNCTION commit_request(
    account_of uuid, workspace_of uuid, device_of uuid, request_of text, changes jsonb
) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
    found_row record;
    change item_change;
    outcome change_outcome;
    place commit_place;
    outcomes json[] := '{}';
    ids bigint[] := '{}';
    asked integer := jsonb_array_length(changes);
    touched integer := 0;
    answer_at_hand boolean := true;
    charge bigint := 0;
    repeated json;
BEGIN
    SELECT m.role, w.latest_revision, w.owner_id, a.quota_limit, a.quota_used, d.id AS device_id,
            CASE WHEN w.is_shared THEN w.root_item_id END AS root_id,
            CASE WHEN w.has_mounts THEN w.owner_id END AS mounts_of
        INTO found_row
        FROM membership m
        JOIN workspace w ON w.id = m.workspace_id
        JOIN account a ON a.id = w.owner_id
        LEFT JOIN device d
            ON d.id = device_of AND d.account_id = m.account_id AND d.revoked_at IS NULL
        WHERE m.account_id = account_of AND m.workspace_id = workspace_of;
    IF NOT FOUND THEN
        RETURN json_build_object('error', 'workspace');
    ELSIF found_row.device_id IS NULL THEN
        RETURN json_build_object('error', 'device');
    ELSIF found_row.role = 'viewer' THEN
        RETURN json_build_object('error', 'role');
    END IF;
    repeated := recorded_answer(
        workspace_of, device_of, request_of, changes, found_row.root_id, found_row.quota_limit,
        found_row.quota_used);
    IF repeated IS NOT NULL THEN
        RETURN repeated;
    END IF;

    place := (
        workspace_of, device_of, request_of, found_row.latest_revision + 1, 0, found_row.root_id,
        found_row.mounts_of);
    FOR change IN SELECT * FROM jsonb_populate_recordset(NULL::item_change, changes) LOOP
        outcome := commit_change(
            change, place, ids, asked + touched,
            found_row.quota_limit - found_row.quota_used - charge);
        touched := touched + outcome.touched;
        charge := charge + outcome.charge;
        IF outcome.refusal IS NULL THEN
            ids[place.ordinal] := outcome.item_id;
        ELSE
            answer_at_hand := false;
        END IF;
        outcomes[place.ordinal] := json_build_object(
            'refusal', nullif(outcome.refusal, 'done-already'), 'item', outcome.state);
        place.ordinal := place.ordinal + 1;
    END LOOP;
    IF touched > 0 THEN
        outcomes := outcomes || (
            SELECT array_agg(json_build_object('refusal', NULL, 'item', item_state(v))
                    ORDER BY v.ordinal)
                FROM item_version v
                WHERE v.device_id = device_of AND v.request_id = request_of
                    AND v.ordinal >= asked);
    END IF;

    IF array_length(ids, 1) IS NULL THEN
        place.revision := found_row.latest_revision;
    ELSE
        UPDATE workspace SET latest_revision = place.revision, committed_at = now()
            WHERE id = workspace_of;
    END IF;
    IF charge <> 0 THEN
        UPDATE account SET quota_used = quota_used + charge WHERE id = found_row.owner_id;
    END IF;
    IF NOT answer_at_hand THEN
        INSERT INTO answered_request (device_id, request_id, workspace_id, revision, outcomes)
            VALUES (device_of, request_of, workspace_of, place.revision, array_to_json(outcomes));
    END IF;
    RETURN json_build_object(
        'revision', place.revision,
        'quota_limit', found_row.quota_limit,
        'quota_used', found_row.quota_used + charge,
        'repeated', false,
        'outcomes', array_to_json(outcomes));
END;
$$;

-- Looks up what the change names, refuses what can be refused from that, and
-- hands the rest on.  ids: the items of the earlier changes, by ordinal.
-- Without a parent an item stands in the root, which in a shared workspace is its folder.
CREATE FUNCTION commit_change(
    change item_change, place commit_place, ids bigint[], next_ordinal integer, available bigint
) RETURNS change_outcome
LANGUAGE plpgsql AS $$
DECLARE
    outcome change_outcome;
    held item;
    parent bigint := coalesce(change.parent_id, place.root_id);
    version_of_parent bigint;
BEGIN
    outcome.charge := 0;
    outcome.touched := 0;
    IF change.invalid THEN
        outcome.refusal := 'invalid';
        RETURN outcome;
    END IF;
    IF change.id IS NOT NULL THEN
        -- Only by the key: a plan that was made for the empty table, and is kept,
        -- would else read a workspace's items one after the other.
        SELECT * INTO held FROM item WHERE id = change.id;
        IF NOT FOUND OR held.workspace_id <> place.workspace_id THEN
            outcome.refusal := 'not-found';
            RETURN outcome;
        END IF;
        IF held.id = place.root_id THEN
            outcome.refusal := 'shared-folder';
            outcome.state := latest_state(held.id);
            RETURN outcome;
        END IF;
        IF held.is_folder THEN
            change.size := NULL;
            change.chunks := NULL;
        END IF;
        IF change.status = 'DELETED' AND held.status = 'DELETED'
                AND held.revision = place.revision THEN
            -- This very request has deleted it with its folder.
            outcome.refusal := 'done-already';
        ELSIF change.version <> held.version + 1 THEN
            outcome.refusal := 'stale';
        ELSIF change.status = 'DELETED' THEN
            RETURN delete_item(change, place, held, next_ordinal);
        ELSIF change.is_folder <> held.is_folder THEN
            outcome.refusal := 'kind';
        END IF;
    END IF;
    IF outcome.refusal IS NULL AND change.parent_ordinal IS NOT NULL THEN
        parent := ids[change.parent_ordinal];
        IF parent IS NULL THEN
            outcome.refusal := 'dependency';
        END IF;
    END IF;
    IF outcome.refusal IS NULL AND parent IS NOT NULL THEN
        SELECT CASE WHEN i.workspace_id = place.workspace_id AND i.is_folder
                AND i.status <> 'DELETED' THEN i.version END
            INTO version_of_parent FROM item i WHERE i.id = parent;
        IF version_of_parent IS NULL THEN
            outcome.refusal := 'parent-not-found';
        END IF;
    END IF;
    IF outcome.refusal IS NOT NULL THEN
        outcome.state := latest_state(held.id);
        RETURN outcome;
    ELSIF change.id IS NULL THEN
        RETURN create_item(change, place, parent, version_of_parent, available);
    ELSIF change.restores AND held.is_folder AND held.status = 'DELETED' THEN
        RETURN restore_item(
            change, place, parent, version_of_parent, available, held, next_ordinal);
    END IF;
    RETURN change_item(change, place, parent, version_of_parent, available, held);
END;
$$;
