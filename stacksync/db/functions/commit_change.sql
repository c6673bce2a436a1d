-- One item of a commit: created, changed or deleted, or refused.  A folder that
-- comes back from the trash is in restore_item.sql.
--
-- Called by commit_request, which holds the locks of the workspace and of its
-- owner's account and has looked up what the change names.  "available" is
-- what the owner's quota still allows, in bytes.

CREATE FUNCTION create_item(
    change item_change, place commit_place, parent bigint, version_of_parent bigint,
    available bigint
) RETURNS change_outcome
LANGUAGE plpgsql AS $$
DECLARE
    outcome change_outcome;
    mounted bigint;
BEGIN
    outcome.charge := 0;
    outcome.touched := 0;
    IF change.size > 0 AND change.size > available THEN
        outcome.refusal := 'quota';
        RETURN outcome;
    END IF;
    IF place.mounts_of IS NOT NULL THEN
        mounted := mount_named(place.mounts_of, parent, change.name);
        IF mounted IS NOT NULL THEN
            outcome.refusal := 'name-taken';
            outcome.state := latest_state(mounted);
            RETURN outcome;
        END IF;
    END IF;
    WITH done AS (
        INSERT INTO item (
                workspace_id, parent_id, parent_version, name, is_folder, status, version,
                revision, created_revision, size, checksum, mimetype, chunks, device_id,
                modified_at)
            VALUES (
                place.workspace_id, parent, version_of_parent, change.name, change.is_folder,
                'NEW', 1, place.revision, place.revision, change.size, change.checksum,
                change.mimetype, change.chunks, place.device_id, change.modified_at)
            ON CONFLICT DO NOTHING
            RETURNING id)
    INSERT INTO item_version AS v (
            item_id, version, workspace_id, revision, parent_id, parent_version, name, is_folder,
            status, size, checksum, mimetype, chunks, device_id, modified_at, request_id, ordinal)
        SELECT done.id, 1, place.workspace_id, place.revision, parent, version_of_parent,
                change.name, change.is_folder, 'NEW', change.size, change.checksum,
                change.mimetype, change.chunks, place.device_id, change.modified_at,
                place.request_id, place.ordinal
            FROM done
        RETURNING v.item_id, item_state(v) INTO outcome.item_id, outcome.state;
    IF outcome.item_id IS NULL THEN
        outcome.refusal := 'name-taken';
        outcome.state := latest_state(live_item(place.workspace_id, parent, change.name));
    ELSE
        outcome.charge := change.size;
    END IF;
    RETURN outcome;
END;
$$;

CREATE FUNCTION change_item(
    change item_change, place commit_place, parent bigint, version_of_parent bigint,
    available bigint, held item
) RETURNS change_outcome
LANGUAGE plpgsql AS $$
DECLARE
    outcome change_outcome;
    name_new text := coalesce(change.name, held.name);
    charged bigint := CASE WHEN held.status = 'DELETED' THEN 0 ELSE held.size END;
    grows bigint := coalesce(change.size, held.size) - charged;
BEGIN
    outcome.item_id := held.id;
    outcome.charge := 0;
    outcome.touched := 0;
    IF grows > 0 AND grows > available THEN
        outcome.refusal := 'quota';
    ELSIF (held.status = 'DELETED' OR held.parent_id IS DISTINCT FROM parent
                OR held.name <> name_new)
            AND coalesce(holder_of_name(place.workspace_id, parent, name_new, place.mounts_of),
                held.id) <> held.id
    THEN
        outcome.refusal := 'name-taken';
    ELSIF held.is_folder AND held.parent_id IS DISTINCT FROM parent
            AND item_is_within(parent, held.id) THEN
        outcome.refusal := 'cycle';
    END IF;
    IF outcome.refusal IS NOT NULL THEN
        outcome.state := latest_state(held.id);
        RETURN outcome;
    END IF;
    IF held.status = 'DELETED' AND held.is_folder THEN
        PERFORM leave_in_trash(held);
    END IF;
    WITH done AS (
        UPDATE item i SET
                status = change.status, version = i.version + 1, revision = place.revision,
                parent_id = parent, parent_version = version_of_parent, name = name_new,
                size = coalesce(change.size, i.size),
                checksum = coalesce(change.checksum, i.checksum),
                mimetype = coalesce(change.mimetype, i.mimetype),
                chunks = coalesce(change.chunks, i.chunks), deleted_with = NULL,
                device_id = place.device_id, modified_at = change.modified_at
            WHERE i.id = held.id
            RETURNING i.*)
    INSERT INTO item_version AS v (
            item_id, version, workspace_id, revision, parent_id, parent_version, name, is_folder,
            status, size, checksum, mimetype, chunks, device_id, modified_at, request_id, ordinal)
        SELECT id, version, workspace_id, revision, parent_id, parent_version, name, is_folder,
                status, size, checksum, mimetype, chunks, device_id, modified_at,
                place.request_id, place.ordinal
            FROM done
        RETURNING item_state(v) INTO outcome.state;
    outcome.charge := grows;
    RETURN outcome;
END;
$$;

-- A folder takes its whole content with it, in the same revision; the versions
-- of the content get the places from "next_ordinal" on.  Item by item by the
-- key, never by reading the table, as large as it may have become since the
-- plan was made.  Shared folders that are mounted in it are not its content.
CREATE FUNCTION delete_item(
    change item_change, place commit_place, held item, next_ordinal integer
) RETURNS change_outcome
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    outcome change_outcome;
    freed bigint;
BEGIN
    WITH RECURSIVE doomed AS (
        SELECT held.id AS id, 0 AS depth
        UNION ALL
        SELECT i.id, d.depth + 1
            FROM doomed d, LATERAL live_content(place.workspace_id, d.id) i
            WHERE held.is_folder),
    counted AS (
        SELECT id, depth, CASE WHEN depth = 0 THEN place.ordinal
                ELSE next_ordinal + row_number() OVER (ORDER BY depth, id)::integer - 2
                END AS ordinal
            FROM doomed),
    done AS (
        UPDATE item i SET
                status = 'DELETED', version = i.version + 1, revision = place.revision,
                deleted_with = CASE WHEN c.depth > 0 THEN held.id ELSE held.deleted_with END,
                device_id = place.device_id, modified_at = change.modified_at
            FROM counted c
            WHERE i.id = c.id
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
        INTO freed, outcome.touched, outcome.state
        FROM versions;
    IF held.status = 'DELETED' THEN
        freed := freed - held.size;
    END IF;
    IF held.is_folder AND place.mounts_of IS NOT NULL THEN
        PERFORM mounts_left_over(place.mounts_of, place.workspace_id, held.id, place.request_id);
    END IF;
    outcome.item_id := held.id;
    outcome.charge := -freed;
    RETURN outcome;
END;
$$;
