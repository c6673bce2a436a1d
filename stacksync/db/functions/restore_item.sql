-- A deleted folder comes back: with what its deletion took along, or without.

-- Called by commit_change, which has looked up what the change names.  The
-- folder and its content come back in one revision, or, when the quota does not
-- allow the whole, not at all; the versions of the content get the places from
-- "next_ordinal" on.  What was deleted on its own before the folder stays
-- deleted.  No name within the folder can be taken: nothing can be made in a
-- folder that is deleted, and what went with one deletion was live at one time.
-- Why the settings: see delete_item.
CREATE FUNCTION restore_item(
    change item_change, place commit_place, parent bigint, version_of_parent bigint,
    available bigint, held item, next_ordinal integer
) RETURNS change_outcome
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    outcome change_outcome;
    name_new text := coalesce(change.name, held.name);
    deletion bigint := coalesce(held.deleted_with, held.id);
BEGIN
    outcome.item_id := held.id;
    outcome.charge := 0;
    outcome.touched := 0;
    IF holder_of_name(place.workspace_id, parent, name_new, place.mounts_of) IS NOT NULL THEN
        outcome.refusal := 'name-taken';
        outcome.state := latest_state(held.id);
        RETURN outcome;
    END IF;
    WITH RECURSIVE taken AS (
        SELECT held.id AS id, 0 AS depth, held.version AS version, 0::bigint AS size,
                version_of_parent AS parent_version
        UNION ALL
        SELECT i.id, t.depth + 1, i.version, i.size, t.version + 1
            FROM taken t, LATERAL taken_along(place.workspace_id, t.id, deletion) i),
    counted AS (
        SELECT id, depth, parent_version, CASE WHEN depth = 0 THEN place.ordinal
                ELSE next_ordinal + row_number() OVER (ORDER BY depth, id)::integer - 2
                END AS ordinal
            FROM taken),
    done AS (
        UPDATE item i SET
                status = CASE WHEN c.depth = 0 THEN change.status ELSE 'CHANGED' END,
                version = i.version + 1, revision = place.revision, deleted_with = NULL,
                parent_id = CASE WHEN c.depth = 0 THEN parent ELSE i.parent_id END,
                parent_version = c.parent_version,
                name = CASE WHEN c.depth = 0 THEN name_new ELSE i.name END,
                device_id = place.device_id, modified_at = change.modified_at
            FROM counted c
            WHERE i.id = c.id
                AND (SELECT sum(size) = 0 OR sum(size) <= available FROM taken)
            RETURNING i.*, c.ordinal),
    versions AS (
        INSERT INTO item_version AS v (
                item_id, version, workspace_id, revision, parent_id, parent_version, name,
                is_folder, status, size, checksum, mimetype, chunks, device_id, modified_at,
                request_id, ordinal)
            SELECT id, version, workspace_id, revision, parent_id, parent_version, name,
                    is_folder, status, size, checksum, mimetype, chunks, device_id, modified_at,
                    place.request_id, ordinal
                FROM done
            RETURNING v.ordinal, v.size, CASE WHEN v.ordinal = place.ordinal THEN item_state(v) END
                AS state)
    SELECT sum(size), count(*) - 1, (array_agg(state) FILTER (WHERE state IS NOT NULL))[1]
        INTO outcome.charge, outcome.touched, outcome.state
        FROM versions;
    IF outcome.state IS NULL THEN
        outcome.refusal := 'quota';
        outcome.charge := 0;
        outcome.touched := 0;
        outcome.state := latest_state(held.id);
    END IF;
    RETURN outcome;
END;
$$;

-- A deleted folder comes back without its content: that stays in the trash, and
-- each item of the folder, with what is in it, can be restored on its own.
-- Nothing of this is a new version.
CREATE FUNCTION leave_in_trash(held item) RETURNS void
LANGUAGE sql SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    WITH RECURSIVE left_behind AS (
        SELECT i.id, NULL::bigint AS folder_id, i.id AS top
            FROM taken_along(
                held.workspace_id, held.id, coalesce(held.deleted_with, held.id)) i
        UNION ALL
        SELECT i.id, l.top, l.top
            FROM left_behind l, LATERAL taken_along(
                held.workspace_id, l.id, coalesce(held.deleted_with, held.id)) i)
    UPDATE item i SET deleted_with = l.folder_id FROM left_behind l WHERE i.id = l.id;
$$;

-- What a deletion took along that stands in this folder itself.  OFFSET 0: see
-- live_content.
CREATE FUNCTION taken_along(workspace_of uuid, folder_of bigint, deletion bigint)
RETURNS SETOF item
LANGUAGE sql STABLE AS $$
    SELECT i.* FROM item i
        WHERE i.workspace_id = workspace_of AND i.parent_id = folder_of
            AND i.status = 'DELETED' AND i.deleted_with = deletion
        OFFSET 0;
$$;
