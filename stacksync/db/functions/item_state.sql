-- How the state of an item is told to the engine, and where to find it.
--
-- Timestamps come out as ISO 8601 in the session's time zone, which is UTC on
-- our connections.

CREATE FUNCTION item_state(told item_version) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT json_build_object(
        'id', told.item_id,
        'version', told.version,
        'revision', told.revision,
        'status', told.status,
        'parent_id', told.parent_id,
        'parent_version', told.parent_version,
        'is_folder', told.is_folder,
        'name', told.name,
        'size', told.size,
        'checksum', told.checksum,
        'mimetype', told.mimetype,
        'chunks', told.chunks,
        'device_id', told.device_id,
        'modified_at', told.modified_at
    );
$$;

CREATE FUNCTION latest_state(item_of bigint) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT item_state(v)
        FROM item i JOIN item_version v ON v.item_id = i.id AND v.version = i.version
        WHERE i.id = item_of;
$$;

-- Two branches, because IS NOT DISTINCT FROM cannot use the index.
CREATE FUNCTION live_item(workspace_of uuid, parent_of bigint, name_of text) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF parent_of IS NULL THEN
        RETURN (SELECT id FROM item
            WHERE workspace_id = workspace_of AND parent_id IS NULL AND name = name_of
                AND status <> 'DELETED');
    END IF;
    RETURN (SELECT id FROM item
        WHERE workspace_id = workspace_of AND parent_id = parent_of AND name = name_of
            AND status <> 'DELETED');
END;
$$;

-- What stands in a folder itself, not below.  OFFSET 0: in a walk of the tree
-- each folder is looked up in the index; PostgreSQL may else compare every item
-- with every folder, both of which it expects to be few.
CREATE FUNCTION live_content(workspace_of uuid, folder_of bigint) RETURNS SETOF item
LANGUAGE sql STABLE AS $$
    SELECT i.* FROM item i
        WHERE i.workspace_id = workspace_of AND i.parent_id = folder_of
            AND i.status <> 'DELETED'
        OFFSET 0;
$$;

-- Whether an item is the folder itself or stands anywhere below it.  OFFSET 0:
-- see live_content.
CREATE FUNCTION item_is_within(item_of bigint, folder_of bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE ancestor AS (
        SELECT i.id, i.parent_id FROM item i WHERE i.id = item_of
        UNION
        SELECT i.id, i.parent_id
            FROM ancestor a, LATERAL (
                SELECT p.id, p.parent_id FROM item p WHERE p.id = a.parent_id OFFSET 0) i
    )
    SELECT EXISTS (SELECT FROM ancestor WHERE id = folder_of);
$$;
