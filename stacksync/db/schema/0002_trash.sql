-- The trash: what was deleted, what went along with its folder, and how to list and restore it.

ALTER TABLE item ADD COLUMN deleted_with bigint;

COMMENT ON COLUMN item.deleted_with IS 'of a deleted item: the folder whose deletion took it '
    'along; null: it was deleted itself, and is what the trash shows';

-- Of deletions from before this migration nothing tells what went along with
-- what, but that a folder and its content are of one revision.  Of several
-- items of one name that a single commit has deleted in one folder, only the
-- last can have been in it to the end.
WITH RECURSIVE last_of_its_name AS (
    SELECT DISTINCT ON (workspace_id, parent_id, name, revision)
            id, workspace_id, parent_id, revision
        FROM item WHERE status = 'DELETED'
        ORDER BY workspace_id, parent_id, name, revision, id DESC),
taken AS (
    SELECT i.id, p.id AS folder_id, i.revision
        FROM last_of_its_name i
        JOIN item p ON p.id = i.parent_id AND p.status = 'DELETED' AND p.revision = i.revision
        LEFT JOIN item g ON g.id = p.parent_id
        WHERE g.id IS NULL OR g.status <> 'DELETED' OR g.revision <> p.revision
    UNION ALL
    SELECT i.id, t.folder_id, i.revision
        FROM last_of_its_name i JOIN taken t ON i.parent_id = t.id AND i.revision = t.revision)
UPDATE item i SET deleted_with = t.folder_id FROM taken t WHERE i.id = t.id;

-- Partial, so that a commit that deletes nothing has nothing to write in them.
CREATE INDEX item_deleted_name ON item (workspace_id, parent_id, name, id)
    WHERE status = 'DELETED';
CREATE INDEX item_trash ON item (workspace_id, modified_at, id)
    WHERE status = 'DELETED' AND deleted_with IS NULL;

ALTER TYPE item_change ADD ATTRIBUTE restores boolean;

COMMENT ON TYPE item_change IS 'one item of a commit as asked; parent_ordinal: the place, from 0, '
    'of the parent among the items of the same commit; invalid: refused before it came here; '
    'restores: a deleted folder comes back with what its deletion took along';
