"""Statements that look for what cannot be in workspaces that people share.

Each reads one snapshot.  Nothing here changes anything, but for leaving jobs to
put access lists right.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from attrs import frozen

from stacksync.db.session import Session

FOUND = 500
"""So many findings of one kind are told of a workspace."""

DEPARTED = """
    SELECT d.id, d.name FROM departed_item d JOIN item i ON i.id = d.id
    WHERE d.workspace_id = %(workspace)s AND i.workspace_id = d.workspace_id
    ORDER BY d.id LIMIT %(most)s
"""

ROOT = """
    SELECT w.is_shared, w.root_item_id,
        EXISTS (SELECT FROM item i WHERE i.id = w.root_item_id AND i.workspace_id = w.id
            AND i.is_folder AND i.parent_id IS NULL)
    FROM workspace w WHERE w.id = %(workspace)s
"""

BESIDE_ROOT = """
    SELECT i.id, i.name FROM workspace w JOIN item i ON i.workspace_id = w.id
    WHERE w.id = %(workspace)s AND w.is_shared AND i.parent_id IS NULL
        AND i.id IS DISTINCT FROM w.root_item_id
    ORDER BY i.id LIMIT %(most)s
"""

# A member's private workspaces are those that he owns and does not share.
MEMBERS = """
    SELECT a.email, m.role, m.account_id = w.owner_id, m.mount_name, m.mount_parent_id,
        m.mount_parent_id IS NULL OR NOT EXISTS (SELECT FROM item i
            WHERE i.id = m.mount_parent_id) OR EXISTS (SELECT FROM item i
                JOIN workspace p ON p.id = i.workspace_id
                WHERE i.id = m.mount_parent_id AND p.owner_id = m.account_id AND NOT p.is_shared),
        EXISTS (SELECT FROM workspace p
            WHERE p.owner_id = m.account_id AND NOT p.is_shared AND p.has_mounts),
        EXISTS (SELECT FROM workspace p JOIN item i ON i.workspace_id = p.id
            WHERE p.owner_id = m.account_id AND NOT p.is_shared AND p.has_mounts
                AND i.name = m.mount_name AND i.parent_id IS NOT DISTINCT FROM m.mount_parent_id
                AND i.status <> 'DELETED')
        OR EXISTS (SELECT FROM membership o JOIN workspace s ON s.id = o.workspace_id
            WHERE o.account_id = m.account_id AND o.workspace_id <> m.workspace_id AND s.is_shared
                AND o.mount_name = m.mount_name
                AND o.mount_parent_id IS NOT DISTINCT FROM m.mount_parent_id)
    FROM workspace w JOIN membership m ON m.workspace_id = w.id
    JOIN account a ON a.id = m.account_id
    WHERE w.id = %(workspace)s ORDER BY a.email
"""

IS_WAITING = """
    SELECT EXISTS (SELECT FROM job WHERE finished_at IS NULL AND queue = 'container:' || %s)
"""

LEAVE_JOB = """
    SELECT job_added('container', 'container:' || %(container)s,
        jsonb_build_object('workspace_id', %(workspace)s::uuid), NULL, NULL)
"""


@frozen
class Root:
    """The folder that a shared workspace consists of; ``fits``: it is where it has to be."""

    is_shared: bool
    item_id: int | None
    fits: bool


@frozen
class CheckedMember:
    """A member, and how the workspace is mounted.

    :ivar parent_fits: the mount is in a private workspace of the member's.
    :ivar is_marked: such a workspace is marked as one with mounts.
    :ivar clashes: something else stands there by the same name.
    """

    email: str
    role: str
    is_owner: bool
    mount_name: str
    mount_parent_id: int | None
    parent_fits: bool
    is_marked: bool
    clashes: bool


class SharingCheckTable:
    """Looks at one workspace at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def departed(self, workspace_id: UUID) -> list[tuple[int, str]]:
        """Items that are said to have left the workspace and are in it."""
        return await self._items(DEPARTED, workspace_id)

    async def root(self, workspace_id: UUID) -> Root | None:
        """``None``: the workspace is gone."""
        rows = await self._session.query(ROOT, {"workspace": workspace_id})
        return Root(*rows[0]) if rows else None

    async def beside_root(self, workspace_id: UUID) -> list[tuple[int, str]]:
        """Items of a shared workspace that are in no folder, as only its root may be."""
        return await self._items(BESIDE_ROOT, workspace_id)

    async def members(self, workspace_id: UUID) -> list[CheckedMember]:
        rows = await self._session.query(MEMBERS, {"workspace": workspace_id})
        return [CheckedMember(*row) for row in rows]

    async def is_waiting(self, container: str) -> bool:
        """Whether a job is to be done on the container, so that nobody knows what it should be."""
        return bool((await self._session.query(IS_WAITING, [container]))[0][0])

    async def leave_job(self, workspace_id: UUID, container: str) -> None:
        """Have the container's access list made what the memberships say."""
        await self._session.query(LEAVE_JOB, {"workspace": workspace_id, "container": container})

    async def emails(self, identities: Sequence[str]) -> dict[str, str]:
        """Accounts' e-mails by their users' ids in the identity service."""
        rows = await self._session.query(
            "SELECT identity_id, email FROM account WHERE identity_id = ANY (%s)",
            [list(identities)],
        )
        return {row[0]: row[1] for row in rows}

    async def _items(self, sql: str, workspace_id: UUID) -> list[tuple[int, str]]:
        rows = await self._session.query(sql, {"workspace": workspace_id, "most": FOUND})
        return [(row[0], row[1]) for row in rows]
