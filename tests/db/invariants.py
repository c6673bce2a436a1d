"""What is true of every workspace at any time, whatever was committed to it."""

from __future__ import annotations

from tests.db.observation import Psql

NEVER = {
    "two live items of one name in one folder": """
        SELECT workspace_id, parent_id, name FROM item WHERE status <> 'DELETED'
        GROUP BY workspace_id, parent_id, name HAVING count(*) > 1
    """,
    "a live item whose parent is not a live folder of its workspace": """
        SELECT i.id FROM item i WHERE i.status <> 'DELETED' AND i.parent_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM item p WHERE p.id = i.parent_id AND p.is_folder
                AND p.status <> 'DELETED' AND p.workspace_id = i.workspace_id)
    """,
    "a live item that cannot be reached from the root": """
        WITH RECURSIVE reached AS (
            SELECT id FROM item WHERE parent_id IS NULL AND status <> 'DELETED'
            UNION
            SELECT i.id FROM item i JOIN reached r ON i.parent_id = r.id
                WHERE i.status <> 'DELETED')
        SELECT id FROM item WHERE status <> 'DELETED' AND id NOT IN (SELECT id FROM reached)
    """,
    "an item that is not what its newest version says": """
        SELECT i.id FROM item i
        LEFT JOIN item_version v ON v.item_id = i.id AND v.version = i.version
        WHERE (i.workspace_id, i.revision, i.parent_id, i.parent_version, i.name, i.is_folder,
                i.status, i.size, i.checksum, i.mimetype, i.chunks, i.device_id, i.modified_at)
            IS DISTINCT FROM (v.workspace_id, v.revision, v.parent_id, v.parent_version, v.name,
                v.is_folder, v.status, v.size, v.checksum, v.mimetype, v.chunks, v.device_id,
                v.modified_at)
    """,
    "versions with a gap, or in another order than their revisions": """
        SELECT item_id FROM (
            SELECT item_id, version, revision,
                row_number() OVER (PARTITION BY item_id ORDER BY version) AS place,
                lag(revision) OVER (PARTITION BY item_id, workspace_id ORDER BY version) AS earlier
            FROM item_version) v
        WHERE version <> place OR earlier > revision
    """,
    "a revision that its workspace has not reached, or that nothing stands for": """
        SELECT w.id FROM workspace w
        LEFT JOIN (SELECT workspace_id, max(revision) AS newest, count(DISTINCT revision) AS made
            FROM item_version GROUP BY workspace_id) v ON v.workspace_id = w.id
        WHERE w.latest_revision < coalesce(v.newest, 0) OR w.latest_revision <> coalesce(v.made, 0)
            -- Of what has come from elsewhere, or gone there, a revision may tell nothing.
            AND NOT EXISTS (SELECT FROM item_version here JOIN item_version there
                ON there.item_id = here.item_id AND there.workspace_id <> here.workspace_id
                WHERE here.workspace_id = w.id)
            -- And of what has gone, the versions go with whoever has it.
            AND NOT EXISTS (SELECT FROM departed_item d WHERE d.workspace_id = w.id)
    """,
    "a departure of an item that is there, or that its workspace has not reached": """
        SELECT d.id FROM departed_item d JOIN workspace w ON w.id = d.workspace_id
        LEFT JOIN item i ON i.id = d.id
        WHERE i.workspace_id = d.workspace_id OR d.revision > w.latest_revision
    """,
    "an item without a parent in a shared workspace that is not its folder": """
        SELECT i.id FROM item i JOIN workspace w ON w.id = i.workspace_id
        WHERE w.root_item_id IS NOT NULL AND (i.parent_id IS NULL) <> (i.id = w.root_item_id)
    """,
    "a shared workspace without its live folder, its owner or a guest": """
        SELECT w.id FROM workspace w WHERE w.root_item_id IS NOT NULL AND NOT (
            EXISTS (SELECT FROM item i WHERE i.id = w.root_item_id AND i.workspace_id = w.id
                AND i.is_folder AND i.status <> 'DELETED')
            AND EXISTS (SELECT FROM membership m WHERE m.workspace_id = w.id AND m.role = 'owner'
                AND m.account_id = w.owner_id)
            AND (w.is_encrypted OR EXISTS (SELECT FROM membership m WHERE m.workspace_id = w.id
                AND m.role <> 'owner')))
    """,
    "a mount that is called like a live item, or like another mount": """
        SELECT m.account_id, m.workspace_id FROM membership m
        JOIN workspace w ON w.id = m.workspace_id AND w.root_item_id IS NOT NULL
        WHERE EXISTS (SELECT FROM item i JOIN workspace p ON p.id = i.workspace_id
                WHERE p.owner_id = m.account_id AND NOT p.is_shared AND i.status <> 'DELETED'
                    AND i.parent_id IS NOT DISTINCT FROM m.mount_parent_id
                    AND i.name = m.mount_name)
            OR EXISTS (SELECT FROM membership o JOIN workspace s ON s.id = o.workspace_id
                    AND s.root_item_id IS NOT NULL
                WHERE o.account_id = m.account_id AND o.workspace_id <> m.workspace_id
                    AND o.mount_parent_id IS NOT DISTINCT FROM m.mount_parent_id
                    AND o.mount_name = m.mount_name)
    """,
    "a pending proposal of a workspace that is not its folder's": """
        SELECT p.id FROM share_proposal p JOIN workspace w ON w.id = p.workspace_id
        WHERE p.state = 'pending' AND w.root_item_id <> p.item_id
    """,
    "a request with a gap in its places": """
        SELECT device_id, request_id FROM item_version v
        WHERE NOT EXISTS (SELECT FROM answered_request a
            WHERE a.device_id = v.device_id AND a.request_id = v.request_id)
        GROUP BY device_id, request_id HAVING max(ordinal) + 1 <> count(*) OR min(ordinal) <> 0
    """,
    "a quota use that is not the sum of the live sizes": """
        SELECT a.id FROM account a WHERE a.quota_used <> (
            SELECT coalesce(sum(i.size), 0) FROM item i JOIN workspace w ON w.id = i.workspace_id
            WHERE w.owner_id = a.id AND i.status <> 'DELETED')
    """,
    "a folder with a size or chunks": """
        SELECT id FROM item WHERE is_folder AND (size <> 0 OR chunks <> '{}')
    """,
    "a live item that went along with a deletion": """
        SELECT id FROM item WHERE deleted_with IS NOT NULL AND status <> 'DELETED'
    """,
    "an item that went along with the deletion of a folder that its own did not": """
        SELECT i.id FROM item i LEFT JOIN item p ON p.id = i.parent_id
        WHERE i.deleted_with IS NOT NULL AND NOT coalesce(p.status = 'DELETED'
            AND i.deleted_with IN (p.id, p.deleted_with), false)
    """,
    "an item created after it was changed": """
        SELECT id FROM item WHERE created_revision > revision
    """,
}


def check(psql: Psql) -> None:
    """Fail if anything holds that never should."""
    for never, query in NEVER.items():
        found = psql.rows(query)
        assert not found, f"{never}: {found}"
