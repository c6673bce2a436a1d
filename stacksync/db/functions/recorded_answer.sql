-- The repeat of a request, which is answered as it was the first time.

-- The answer that a request got when it came the first time, or null; or the
-- error that it was another batch.
CREATE FUNCTION recorded_answer(
    workspace_of uuid, device_of uuid, request_of text, changes jsonb, root_of bigint,
    quota_limit bigint, quota_used bigint
) RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
    recorded record;
BEGIN
    SELECT a.workspace_id, a.revision, a.outcomes
        INTO recorded
        FROM answered_request a
        WHERE a.device_id = device_of AND a.request_id = request_of;
    IF NOT FOUND THEN
        PERFORM FROM item_version v
            WHERE v.device_id = device_of AND v.request_id = request_of LIMIT 1;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        SELECT v.workspace_id, v.revision,
                json_agg(json_build_object('refusal', NULL, 'item', item_state(v))
                    ORDER BY v.ordinal) AS outcomes
            INTO recorded
            FROM item_version v
            WHERE v.device_id = device_of AND v.request_id = request_of
            GROUP BY v.workspace_id, v.revision;
    END IF;
    IF recorded.workspace_id <> workspace_of
            OR NOT are_outcomes_of(changes, recorded.outcomes::jsonb, root_of) THEN
        RETURN json_build_object(
            'error', 'reused', 'recorded', json_array_length(recorded.outcomes));
    END IF;
    RETURN json_build_object(
        'revision', recorded.revision,
        'quota_limit', quota_limit,
        'quota_used', quota_used,
        'repeated', true,
        'outcomes', recorded.outcomes);
END;
$$;

-- Whether a batch can have had these outcomes.  Of what was refused nothing is
-- kept to compare with but the item it was about.  root_of: the folder that is
-- meant where no parent is said.
CREATE FUNCTION are_outcomes_of(changes jsonb, outcomes jsonb, root_of bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT bool_and(coalesce(CASE
            WHEN asked.place IS NULL THEN
                -- Touched by itself: the content of a deleted or restored folder.
                told.refusal IS NULL AND (held.status = 'DELETED'
                    OR held.status = 'CHANGED' AND jsonb_path_exists(changes, '$[*].restores'))
            WHEN told.refusal IS NOT NULL THEN
                (told.refusal = 'invalid') = coalesce(asked.invalid, false)
                AND coalesce(asked.id, held.id) IS NOT DISTINCT FROM coalesce(held.id, asked.id)
            WHEN asked.status = 'DELETED' THEN
                held.status = 'DELETED' AND asked.id = held.id
            ELSE
                coalesce(asked.id, held.id) = held.id
                AND asked.version = held.version
                AND asked.status = held.status
                AND coalesce(asked.name, held.name) = held.name
                AND coalesce(asked.is_folder, held.is_folder) = held.is_folder
                AND (held.is_folder OR coalesce(asked.size, held.size) = held.size)
                AND coalesce(asked.checksum, held.checksum) = held.checksum
                AND coalesce(asked.mimetype, held.mimetype) IS NOT DISTINCT FROM held.mimetype
                AND (held.is_folder OR coalesce(asked.chunks, held.chunks) = held.chunks)
                AND asked.modified_at = held.modified_at
                AND held.parent_id IS NOT DISTINCT FROM CASE
                    WHEN asked.parent_ordinal IS NULL THEN coalesce(asked.parent_id, root_of)
                    ELSE (outcomes -> asked.parent_ordinal -> 'item' ->> 'id')::bigint END
            END, false))
        FROM (SELECT c.*, row_number() OVER () AS place
                FROM jsonb_populate_recordset(NULL::item_change, changes) c) asked
        FULL JOIN (SELECT o ->> 'refusal' AS refusal, o -> 'item' AS item,
                    row_number() OVER () AS place
                FROM jsonb_array_elements(outcomes) o) told
            ON told.place = asked.place
        LEFT JOIN LATERAL jsonb_populate_record(
            NULL::item, nullif(told.item, 'null'::jsonb)) held ON true;
$$;
