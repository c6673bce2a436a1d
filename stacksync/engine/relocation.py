"""Renames and moves, which mean one thing or another by what is moved, and where to.

Within a workspace that is a commit; to another one, a transfer; of a shared
folder itself, another mount for the member who asks.
"""

from __future__ import annotations

from uuid import UUID

from stacksync.db.items import HeldItem
from stacksync.engine import validation
from stacksync.engine.access import Access
from stacksync.engine.item_checks import check_kind, check_live, new_parent, present
from stacksync.engine.item_commits import ItemCommits
from stacksync.engine.sharing.mounts import Mounts
from stacksync.engine.sharing.transfers import Transfer, Transfers
from stacksync.errors import ItemNotFound
from stacksync.model import Item, ItemChange, ItemStatus, Principal


class Relocation:
    """Finds out what a rename or move is, and has it done."""

    def __init__(
        self, access: Access, commits: ItemCommits, mounts: Mounts, transfers: Transfers
    ) -> None:
        self._access = access
        self._commits = commits
        self._mounts = mounts
        self._transfers = transfers

    async def relocate(
        self,
        principal: Principal,
        item_id: int,
        *,
        is_folder: bool,
        name: str | None,
        parent_id: int | None,
        expected: int | None,
        request_id: str | None,
    ) -> Item:
        """See :meth:`.items.Items.relocate`."""
        if name is not None:
            validation.check_name("name", name)
        held = await self._access.item(principal, item_id)
        check_kind(held.item, is_folder)
        if held.is_shared_folder:
            return await self._mounts.relocate(
                principal, held, name=name, parent_id=parent_id, expected=expected,
                request_id=request_id,
            )  # fmt: skip
        if request_id is not None:
            made = await self._transfers.made(principal, item_id, name, parent_id, request_id)
            if made is not None:
                return made
        target = await self._other_workspace(principal, held, parent_id)
        if target is not None:
            transfer = Transfer(
                item_id, is_folder, target, parent_id or None, name, expected, request_id
            )
            return await self._transfers.carry_out(principal, transfer)

        def describe(item: Item) -> ItemChange | None:
            check_kind(item, is_folder)
            check_live(item)
            parent = new_parent(item, parent_id)
            if parent == item.parent_id and name in (None, item.name):
                return None
            moved = parent != item.parent_id
            return ItemChange(
                status=ItemStatus.MOVED if moved else ItemStatus.RENAMED,
                version=item.version + 1,
                modified_at=present(),
                parent_id=parent,
                name=name,
            )

        return await self._commits.change(
            principal, item_id, describe, expected=expected, request_id=request_id
        )

    async def _other_workspace(
        self, principal: Principal, held: HeldItem, parent_id: int | None
    ) -> UUID | None:
        """The workspace that a new parent is in, if it is another than the item's.

        :raises ParentNotFound: no such folder.
        """
        if parent_id is None or (parent_id == 0 and not held.workspace.is_shared):
            return None
        if parent_id == 0:
            target = await self._access.default_workspace(principal)
        else:
            try:
                target = (await self._access.item(principal, parent_id)).workspace
            except ItemNotFound:
                # A repeat may be told of a move into a folder that is gone by now.
                return None
        return target.id if target.id != held.workspace.id else None
