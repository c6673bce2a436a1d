-- An item goes to another workspace, with all that is below it.

-- Both workspaces and their owners' accounts are locked, the item stands in the
-- one, the parent is null or a live folder of the other.  What is deleted goes
-- along, and so do uploads that have not come to their end; of the versions so
-- far nothing changes.  The new versions are of one revision, and belong to
-- the request, the item's own being the first.  mounts_of: whose mounts the
-- name must not be one of.  Returns {refusal, item_id}, item_id being who has
-- the name; or {item, items, size, source_revision, target_revision}: the item
-- as it is now, how many went, how much of the quota they take.  Why the
-- settings: see delete_item.
CREATE FUNCTION move_subtree(
    top bigint, source_of uuid, target_of uuid, parent bigint, name_new text, mounts_of uuid,
    device_of uuid, request_of text
) RETURNS json
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    source record;
    target record;
    ids bigint[];
    size_of bigint;
    state json;
    uploaded text[];
    holder bigint := holder_of_name(target_of, parent, name_new, mounts_of);
BEGIN
    SELECT owner_id, container, latest_revision + 1 AS revision
        INTO STRICT source FROM workspace WHERE id = source_of;
    SELECT w.owner_id, w.container, w.latest_revision + 1 AS revision,
            a.quota_limit - a.quota_used AS available
        INTO STRICT target
        FROM workspace w JOIN account a ON a.id = w.owner_id WHERE w.id = target_of;
    IF holder IS NOT NULL THEN
        RETURN json_build_object('refusal', 'name-taken', 'item_id', holder);
    END IF;
    WITH RECURSIVE below AS (
        SELECT i.id, 0 AS depth, i.status, i.size
            FROM item i WHERE i.id = top AND i.workspace_id = source_of
        UNION ALL
        SELECT i.id, b.depth + 1, i.status, i.size
            FROM below b, LATERAL whole_content(source_of, b.id) i)
    SELECT array_agg(id ORDER BY depth, id), sum(size) FILTER (WHERE status <> 'DELETED')
        INTO ids, size_of FROM below;
    size_of := coalesce(size_of, 0);
    IF source.owner_id <> target.owner_id AND size_of > 0 AND size_of > target.available THEN
        RETURN json_build_object('refusal', 'quota', 'item_id', NULL);
    END IF;

    INSERT INTO departed_item (
            workspace_id, id, parent_id, parent_version, name, is_folder, status, version,
            revision, created_revision, size, checksum, mimetype, chunks, device_id, modified_at)
        SELECT source_of, i.id, i.parent_id, i.parent_version, i.name, i.is_folder, 'DELETED',
                i.version + 1, source.revision, i.created_revision, i.size, i.checksum,
                i.mimetype, '{}', device_of, i.modified_at
            FROM unnest(ids) AS moved(id) JOIN item i ON i.id = moved.id;
    WITH done AS (
        UPDATE item i SET
                workspace_id = target_of,
                status = CASE WHEN i.status = 'DELETED' THEN 'DELETED' ELSE 'MOVED' END,
                version = i.version + 1, revision = target.revision,
                -- Who has known it here before hears of its end, too.
                created_revision = coalesce((
                    SELECT d.created_revision FROM departed_item d
                        WHERE d.workspace_id = target_of AND d.id = i.id), target.revision),
                parent_id = CASE WHEN i.id = top THEN parent ELSE i.parent_id END,
                parent_version = CASE
                    WHEN i.id = top THEN (SELECT p.version FROM item p WHERE p.id = parent)
                    ELSE (SELECT p.version + 1 FROM item p WHERE p.id = i.parent_id) END,
                name = CASE WHEN i.id = top THEN name_new ELSE i.name END,
                device_id = device_of
            FROM unnest(ids) WITH ORDINALITY AS moved(id, place)
            WHERE i.id = moved.id
            RETURNING i.*, moved.place::integer - 1 AS ordinal),
    versions AS (
        INSERT INTO item_version AS v (
                item_id, version, workspace_id, revision, parent_id, parent_version, name,
                is_folder, status, size, checksum, mimetype, chunks, device_id, modified_at,
                request_id, ordinal)
            SELECT id, version, workspace_id, revision, parent_id, parent_version, name,
                    is_folder, status, size, checksum, mimetype, chunks, device_id, modified_at,
                    request_of, ordinal
                FROM done
            RETURNING CASE WHEN v.ordinal = 0 THEN item_state(v) END AS state)
    SELECT (array_agg(v.state) FILTER (WHERE v.state IS NOT NULL))[1] INTO state FROM versions v;
    DELETE FROM departed_item d USING unnest(ids) AS moved(id)
        WHERE d.workspace_id = target_of AND d.id = moved.id;

    WITH gone_along AS (
        UPDATE upload SET workspace_id = target_of
            WHERE workspace_id = source_of AND item_id IS NULL AND coalesce(
                file_id = ANY (ids), parent_id = ANY (ids))
            RETURNING chunks)
    SELECT array_agg(name) INTO uploaded FROM gone_along, unnest(chunks) AS name;
    WITH needed AS MATERIALIZED (
        SELECT chunk.name FROM unnest(ids) AS moved(id)
            JOIN item_version v ON v.item_id = moved.id, unnest(v.chunks) AS chunk(name)
        UNION
        SELECT unnest(uploaded))
    INSERT INTO chunk_copy (container, name, source)
        SELECT target.container, name, source.container FROM needed
        UNION
        -- What has still to come to where these come from.
        SELECT target.container, c.name, c.source
            FROM needed JOIN chunk_copy c ON c.container = source.container
                AND c.name = needed.name
            WHERE c.source <> target.container
        ON CONFLICT DO NOTHING;

    UPDATE workspace SET latest_revision = source.revision, committed_at = now()
        WHERE id = source_of;
    UPDATE workspace SET latest_revision = target.revision, committed_at = now()
        WHERE id = target_of;
    IF source.owner_id <> target.owner_id AND size_of > 0 THEN
        UPDATE account SET quota_used = quota_used - size_of WHERE id = source.owner_id;
        UPDATE account SET quota_used = quota_used + size_of WHERE id = target.owner_id;
    END IF;
    RETURN json_build_object(
        'item', state,
        'items', cardinality(ids),
        'size', size_of,
        'source_revision', source.revision,
        'target_revision', target.revision);
END;
$$;

-- What stands in a folder itself, live or deleted.  OFFSET 0: see live_content.
CREATE FUNCTION whole_content(workspace_of uuid, folder_of bigint) RETURNS SETOF item
LANGUAGE sql STABLE AS $$
    (SELECT i.* FROM item i
        WHERE i.workspace_id = workspace_of AND i.parent_id = folder_of
            AND i.status <> 'DELETED'
        OFFSET 0)
    UNION ALL
    (SELECT i.* FROM item i
        WHERE i.workspace_id = workspace_of AND i.parent_id = folder_of
            AND i.status = 'DELETED'
        OFFSET 0);
$$;
