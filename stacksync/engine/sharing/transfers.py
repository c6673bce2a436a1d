"""Moves from one workspace of a member's to another: into a shared folder, out of it.

The use of the quota goes along to the other workspace's owner.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid4

from attrs import frozen

from stacksync.db import mounts
from stacksync.db.database import Database, Transaction
from stacksync.db.items import HeldItem, ItemTable, held_within
from stacksync.db.locks import Locks, with_locks
from stacksync.db.moves import Move
from stacksync.db.workspaces import seen_by
from stacksync.engine import validation
from stacksync.engine.access import Access, check_may_write, check_scope
from stacksync.engine.devices import Devices
from stacksync.engine.item_commits import check_version, elsewhere_now
from stacksync.engine.sharing.moves import Moves
from stacksync.errors import (
    ContentEncrypted,
    ItemDeleted,
    ItemNotFound,
    NestedShare,
    ParentNotFound,
    RequestReused,
)
from stacksync.model import Item, ItemStatus, Principal, Workspace


@frozen
class Transfer:
    """What is to go where; ``parent_id`` is ``None`` for the root of the workspace.

    :ivar name: what it is to be called there; ``None``: as before.
    :ivar expected: the version that the caller means; ``None``: the newest.
    """

    item_id: int
    is_folder: bool
    target_id: UUID
    parent_id: int | None
    name: str | None
    expected: int | None
    request_id: str | None


class Transfers:
    """Carries out moves between workspaces, each in one transaction."""

    def __init__(
        self,
        database: Database,
        items: ItemTable,
        access: Access,
        devices: Devices,
        moves: Moves,
    ) -> None:
        self._database = database
        self._items = items
        self._access = access
        self._devices = devices
        self._moves = moves

    async def carry_out(self, principal: Principal, transfer: Transfer) -> Item:
        """The item where it is now.

        :raises ItemNotFound: no such item, or in no workspace of the principal's (any more).
        :raises ItemDeleted: it is in the trash.
        :raises ElsewhereNow: it has been shared meanwhile, and is to be mounted elsewhere.
        :raises VersionMismatch: it is not at the ``expected`` version.
        :raises ParentNotFound: no such live folder there.
        :raises Forbidden: the principal may only look, there or here.
        :raises NestedShare: it has a shared folder in it, and would stand in another.
        :raises ContentEncrypted: devices encrypt what is in one of the workspaces.
        :raises NameTaken: something has the name there.
        :raises QuotaExceeded: the owner has no room for it.
        :raises RequestReused: the request id stands for another request.
        """
        check_scope(principal)
        device_id = await self._devices.own(principal)

        async def expect() -> Iterable[UUID]:
            held = await self._access.item(principal, transfer.item_id)
            return {held.workspace.id, transfer.target_id}

        async def work(transaction: Transaction, locks: Locks) -> Item:
            held = await held_within(transaction, principal.account_id, transfer.item_id)
            if held is None:
                raise ItemNotFound(transfer.item_id)
            locks.check(held.workspace.id)
            target = await seen_by(transaction, principal.account_id, transfer.target_id)
            if target is None:
                raise ParentNotFound(transfer.parent_id)
            locks.check(target.id)
            parent_id = await self._check(transaction, principal, transfer, held, target)
            move = Move(
                item_id=held.item.id,
                source_id=held.workspace.id,
                target_id=target.id,
                parent_id=parent_id,
                name=transfer.name or held.item.name,
                mounts_of=principal.account_id if target.has_mounts else None,
                device_id=device_id,
                request_id=transfer.request_id or uuid4().hex,
            )
            arrival = await self._moves.carry_out(transaction, move, held.workspace, target)
            return arrival.moved.item

        return await with_locks(self._database, "move item", expect, work)

    async def made(
        self,
        principal: Principal,
        item_id: int,
        name: str | None,
        parent_id: int | None,
        request_id: str,
    ) -> Item | None:
        """What a request has made of an item when it came before and moved it here.

        :raises RequestReused: that was a move to another place.
        """
        validation.check_request_id(request_id)
        device_id = await self._devices.acting(principal)
        before = await self._items.made_by(principal.account_id, device_id, request_id)
        if before is None or not before.committed or before.item is None:
            return None
        made = before.item
        if made.id != item_id or made.status is not ItemStatus.MOVED:
            return None
        earlier = await self._items.version(principal.account_id, item_id, made.version - 1)
        if earlier is None or earlier.workspace_id == made.workspace_id:
            return None
        if (parent_id or None) != made.parent_id or name not in (None, made.name):
            raise RequestReused(request_id, 1, 1)
        return made

    async def _check(
        self,
        transaction: Transaction,
        principal: Principal,
        transfer: Transfer,
        held: HeldItem,
        target: Workspace,
    ) -> int | None:
        """Where it is to stand, if it can."""
        item, source = held.item, held.workspace
        if item.is_folder is not transfer.is_folder:
            raise ItemNotFound(item.id)
        check_version(item, transfer.expected)
        if item.status is ItemStatus.DELETED:
            raise ItemDeleted(f"item {item.id} is in the trash: it can be restored", item)
        if held.is_shared_folder:
            # It has become one just now: each member moves it for itself.
            raise elsewhere_now(item.id)
        check_may_write(source)
        check_may_write(target)
        if source.id == target.id:
            # Somebody has taken it there just now: that is a move like any other.
            raise ParentNotFound(transfer.parent_id)
        parent_id = transfer.parent_id
        if parent_id is None:
            parent_id = target.root_item_id
        if parent_id is not None:
            parent = await held_within(transaction, principal.account_id, parent_id)
            if (
                parent is None
                or parent.workspace.id != target.id
                or not parent.item.is_folder
                or parent.item.status is ItemStatus.DELETED
            ):
                raise ParentNotFound(parent_id)
        if source.is_encrypted is not target.is_encrypted:
            raise ContentEncrypted(
                f"item {item.id} cannot be moved between what devices encrypt and what they do not"
            )
        if source.has_mounts and await mounts.has_mounts_within(
            transaction, principal.account_id, item.id
        ):
            if target.is_shared:
                raise NestedShare(
                    f"folder {item.id} has a shared folder in it: a shared folder can't stand in"
                    " another"
                )
            await mounts.note_mounts(transaction, target.id)
        return parent_id
