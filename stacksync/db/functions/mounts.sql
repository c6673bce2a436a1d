-- Where members have mounted the folders of shared workspaces, and which names are taken there.

-- The folders that an account has mounted in a folder of its own, or with null
-- in its root, called and placed as mounted.  A mount whose folder is not live
-- is in the root.  Why the settings: see delete_item.
CREATE FUNCTION mounts_in(account_of uuid, folder_of bigint) RETURNS SETOF item
LANGUAGE sql STABLE SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    SELECT mounted.*
        FROM membership m
        JOIN workspace w ON w.id = m.workspace_id AND w.is_shared
        JOIN item i ON i.id = w.root_item_id
        LEFT JOIN item p ON p.id = m.mount_parent_id AND p.status <> 'DELETED',
        LATERAL jsonb_populate_record(i, jsonb_build_object(
            'name', m.mount_name, 'parent_id', p.id, 'parent_version', p.version)) mounted
        WHERE m.account_id = account_of AND p.id IS NOT DISTINCT FROM folder_of;
$$;

-- The folder that an account has mounted under a name in a folder, or null.  By
-- the name first: commits to a root of many mounts ask this.
CREATE FUNCTION mount_named(account_of uuid, folder_of bigint, name_of text) RETURNS bigint
LANGUAGE sql STABLE SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    SELECT w.root_item_id
        FROM membership m
        JOIN workspace w ON w.id = m.workspace_id AND w.is_shared
        LEFT JOIN item p ON p.id = m.mount_parent_id AND p.status <> 'DELETED'
        WHERE m.account_id = account_of AND m.mount_name = name_of
            AND p.id IS NOT DISTINCT FROM folder_of
        LIMIT 1;
$$;

-- Whether an account has mounted anything in a folder or anywhere below it.
CREATE FUNCTION has_mounts_within(account_of uuid, folder_of bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM membership m JOIN workspace w ON w.id = m.workspace_id AND w.is_shared
            WHERE m.account_id = account_of AND m.mount_parent_id IS NOT NULL
                AND item_is_within(m.mount_parent_id, folder_of));
$$;

-- What an account has mounted within a folder that has just been deleted goes to
-- the root, each under a name that is free there, and the account hears of it.
CREATE FUNCTION mounts_left_over(
    account_of uuid, workspace_of uuid, folder_of bigint, request_of text
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    mount record;
BEGIN
    FOR mount IN
        SELECT m.workspace_id, m.mount_name AS name
            FROM membership m JOIN workspace w ON w.id = m.workspace_id AND w.is_shared
            WHERE m.account_id = account_of AND m.mount_parent_id IS NOT NULL
                AND item_is_within(m.mount_parent_id, folder_of)
            ORDER BY m.mount_name, m.workspace_id
    LOOP
        -- Being in no live folder it counts as in the root, and would be in its own way.
        UPDATE membership SET mount_name = '', mount_parent_id = NULL
            WHERE account_id = account_of AND workspace_id = mount.workspace_id;
        UPDATE membership SET mount_name = free_name(workspace_of, NULL, mount.name, account_of)
            WHERE account_id = account_of AND workspace_id = mount.workspace_id;
        PERFORM job_added('notify', 'notify:' || account_of, jsonb_build_object(
            'event', 'workspace', 'request_id', request_of, 'account_id', account_of,
            'workspace_id', mount.workspace_id), NULL, NULL);
    END LOOP;
END;
$$;

-- The item or mounted folder that has a name in a folder, or with null in the
-- root, of a workspace; mounts_of: the account whose mounts count, null: nobody's.
CREATE FUNCTION holder_of_name(
    workspace_of uuid, folder_of bigint, name_of text, mounts_of uuid
) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    holder bigint := live_item(workspace_of, folder_of, name_of);
BEGIN
    IF holder IS NULL AND mounts_of IS NOT NULL THEN
        holder := mount_named(mounts_of, folder_of, name_of);
    END IF;
    RETURN holder;
END;
$$;

-- The name, or the first of "name (2)", "name (3)" ... that nobody has there.
-- A name has at most 255 bytes.
CREATE FUNCTION free_name(
    workspace_of uuid, folder_of bigint, name_of text, mounts_of uuid
) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    base text := name_of;
    candidate text := name_of;
    number integer := 1;
BEGIN
    WHILE holder_of_name(workspace_of, folder_of, candidate, mounts_of) IS NOT NULL LOOP
        number := number + 1;
        WHILE octet_length(base || ' (' || number || ')') > 255 LOOP
            base := left(base, -1);
        END LOOP;
        candidate := base || ' (' || number || ')';
    END LOOP;
    RETURN candidate;
END;
$$;
