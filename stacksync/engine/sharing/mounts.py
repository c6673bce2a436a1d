"""Shared folders as each member names and mounts them for itself.

A member's mounts are in a private workspace of its own, beside its items, and
share their names.  That of the workspace's owner is one like the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid4

from attrs import evolve

from stacksync.db import mounts, moves
from stacksync.db.database import Database, Transaction
from stacksync.db.items import HeldItem
from stacksync.db.locks import Locks, NotLocked, with_locks
from stacksync.db.workspaces import seen_by
from stacksync.engine.access import Access, check_scope
from stacksync.engine.item_commits import check_version, elsewhere_now
from stacksync.engine.notifier import Notifier
from stacksync.engine.sharing.places import check_may_hold_mounts
from stacksync.errors import NameTaken, ParentNotFound, WorkspaceNotFound
from stacksync.events import WorkspaceUpdated
from stacksync.model import Item, Principal, Workspace


class Mounts:
    """Changes where members have mounted shared folders."""

    def __init__(self, database: Database, access: Access, notifier: Notifier) -> None:
        self._database = database
        self._access = access
        self._notifier = notifier

    async def relocate(
        self,
        principal: Principal,
        held: HeldItem,
        *,
        name: str | None,
        parent_id: int | None,
        expected: int | None,
        request_id: str | None,
    ) -> Item:
        """Rename or move the folder of a shared workspace, for this member; as it is then.

        :param parent_id: ``None`` keeps it, 0 is the root.
        :raises VersionMismatch: it is at another version than ``expected``.
        :raises ItemNotFound: the principal is no member any more.
        :raises ElsewhereNow: it has become private again meanwhile.
        :raises ParentNotFound, NestedShare, NameTaken: see :meth:`remount`.
        """
        check_version(held.item, expected)
        try:
            workspace = await self.remount(
                principal, request_id or uuid4().hex, held.workspace, name, parent_id
            )
        except WorkspaceNotFound:
            await self._access.item(principal, held.item.id)
            raise elsewhere_now(held.item.id) from None
        return as_mounted(HeldItem(held.item, workspace))

    async def remount(
        self,
        principal: Principal,
        request_id: str,
        workspace: Workspace,
        name: str | None,
        parent_id: int | None,
    ) -> Workspace:
        """Name or mount a shared workspace otherwise; tells the member's devices.

        :param name: ``None`` keeps it.
        :param parent_id: ``None`` keeps it, 0 is the root.
        :raises WorkspaceNotFound: the principal is no member any more.
        :raises ParentNotFound: no such live folder of the principal's.
        :raises NestedShare: the folder is in a shared workspace.
        :raises NameTaken: something has the name there.
        """
        check_scope(principal)
        expected: int | None = None
        private = workspace.id

        async def expect() -> Iterable[UUID]:
            nonlocal expected, private
            now = await self._access.workspace(principal, workspace.id)
            expected = now.parent_item_id if parent_id is None else parent_id or None
            private = await self._private(principal, expected)
            return {workspace.id, private}

        async def work(transaction: Transaction, locks: Locks) -> Workspace:
            current = await seen_by(transaction, principal.account_id, workspace.id)
            if current is None:
                raise WorkspaceNotFound(workspace.id)
            parent = current.parent_item_id if parent_id is None else parent_id or None
            if parent != expected:
                raise NotLocked
            new = current.name if name is None else name
            if (new, parent) == (current.name, current.parent_item_id):
                return current
            if parent is not None and not await moves.is_live_folder(transaction, private, parent):
                raise ParentNotFound(parent)
            holder = await mounts.holder_of_name(
                transaction, private, parent, new, principal.account_id
            )
            if holder not in (None, current.root_item_id):
                raise NameTaken(f"there is something named {new!r} in this folder already")
            await mounts.set_mount(transaction, principal.account_id, workspace.id, new, parent)
            await mounts.note_mounts(transaction, private)
            seen = await seen_by(transaction, principal.account_id, workspace.id)
            assert seen is not None
            return seen

        updated = await with_locks(self._database, "mount workspace", expect, work)
        self._notifier.announce_later(WorkspaceUpdated(principal.account_id, request_id, updated))
        return updated

    async def _private(self, principal: Principal, parent_id: int | None) -> UUID:
        """The private workspace that a folder of the principal's is in."""
        if parent_id is None:
            return (await self._access.default_workspace(principal)).id
        held = await self._access.parent(principal, parent_id)
        check_may_hold_mounts(held.workspace)
        return held.workspace.id


def as_mounted(held: HeldItem) -> Item:
    """The item as the member sees it: the folder of a shared workspace as mounted."""
    if not held.is_shared_folder:
        return held.item
    workspace = held.workspace
    return evolve(held.item, name=workspace.name, parent_id=workspace.parent_item_id)
