"""What changed in a workspace since a revision: an index range scan, never a walk of the tree."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from stacksync.db.items import ChangedRow, ItemTable
from stacksync.engine import validation
from stacksync.engine.access import Access
from stacksync.errors import CursorExpired, InvalidRequest
from stacksync.model import Changes, ItemShape, Principal


class ChangeLog:
    """Answers a device that was away."""

    def __init__(self, table: ItemTable, access: Access) -> None:
        self._table = table
        self._access = access

    async def since(
        self, principal: Principal, workspace_id: UUID, since: int | None, shape: ItemShape
    ) -> Changes:
        """The items that changed after a revision, parents before their children.

        :param since: ``None`` for the whole state with all deleted items; 0 for
            the whole live state; else a revision that the device has seen:
            deletions are told of the items that existed then.
        :raises WorkspaceNotFound: no such workspace, or not the principal's.
        :raises CursorExpired: deletions since then are forgotten, or the
            workspace has not got there (it was restored from a backup).
        """
        if since is not None and not 0 <= since < validation.INT64:
            raise InvalidRequest("since", f"{since} is not a revision")
        workspace = await self._access.workspace(principal, workspace_id)
        oldest, latest = workspace.oldest_revision, workspace.latest_revision
        if since and not oldest <= since <= latest:
            raise CursorExpired(workspace_id, since, oldest, latest)
        if since == latest:
            return Changes(workspace_id, latest, b"[]", 0)
        rows = await self._table.changed(workspace_id, since, shape)
        # The cursor goes with the items: with an older one, the deletion of an
        # item that is among them would not be told.
        revision = rows[0][3] if rows else latest
        items = ("[" + ",".join(parents_first(rows)) + "]").encode()
        return Changes(workspace_id, revision, items, len(rows))


def parents_first(rows: Iterable[ChangedRow]) -> list[str]:
    """The texts of the rows, every parent before its children.

    A parent that is not among the rows has not changed: its children need not
    wait for it.
    """
    rows = sorted(rows, key=lambda row: row[0])
    missing = {row[0] for row in rows}
    ordered: list[str] = []
    held_back: dict[int, list[ChangedRow]] = {}
    # Parents are mostly older than their children, so one pass does nearly all.
    for row in rows:
        parent = row[1]
        if parent is not None and parent in missing:
            held_back.setdefault(parent, []).append(row)
            continue
        ready = [row]
        while ready:
            identity, _, text, _ = ready.pop()
            ordered.append(text)
            missing.discard(identity)
            if identity in held_back:
                ready.extend(held_back.pop(identity))
    # Only a cycle can be left, which commits refuse: better told than dropped.
    ordered.extend(row[2] for held in held_back.values() for row in held)
    return ordered
