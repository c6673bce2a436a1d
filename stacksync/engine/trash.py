"""The trash: what was deleted, and how it comes back."""

from __future__ import annotations

from uuid import UUID

from stacksync.db.listings import Listings
from stacksync.engine import validation
from stacksync.engine.access import Access
from stacksync.engine.item_checks import check_kind, new_parent, present
from stacksync.engine.item_commits import ItemCommits
from stacksync.engine.items import check_paging
from stacksync.errors import Conflict
from stacksync.model import Item, ItemChange, ItemPage, ItemShape, ItemStatus, Paging, Principal


class Trash:
    """Lists and restores deleted items."""

    def __init__(self, listings: Listings, access: Access, commits: ItemCommits) -> None:
        self._listings = listings
        self._access = access
        self._commits = commits

    async def list(
        self,
        principal: Principal,
        paging: Paging,
        shape: ItemShape,
        *,
        workspace_id: UUID | None = None,
    ) -> ItemPage:
        """A page of what was deleted in a workspace.

        Items that were deleted themselves, not those that their folder took
        along; newest first is the order by ``modified_at``, descending.

        :param workspace_id: left out, the principal's default workspace.
        :raises WorkspaceNotFound: no such workspace, or not the principal's.
        :raises InvalidRequest: the paging makes no sense.
        """
        check_paging(paging)
        if workspace_id is None:
            workspace = await self._access.default_workspace(principal)
        else:
            workspace = await self._access.workspace(principal, workspace_id)
        return await self._listings.trash(workspace.id, paging, shape)

    async def restore(
        self,
        principal: Principal,
        item_id: int,
        *,
        is_folder: bool,
        name: str | None,
        parent_id: int | None,
        expected: int | None = None,
        request_id: str | None = None,
    ) -> Item:
        """Bring a deleted item back, a folder with what its deletion took along, in one commit.

        An item that went along with its folder may be restored on its own, too.

        :param name: ``None`` keeps the former one.
        :param parent_id: ``None`` keeps the former one, 0 is the root of the item's workspace.
        :raises ItemNotFound: no such item of this kind, or in no workspace of the principal's.
        :raises Conflict: it is not deleted.
        :raises ParentNotFound: the folder it is to stand in is deleted, or none.
        :raises NameTaken: a live item has the name.
        :raises QuotaExceeded: the owner's quota does not allow all that would come back.

        The other errors are those of :meth:`.item_commits.ItemCommits.change`.
        """
        if name is not None:
            validation.check_name("name", name)

        def describe(item: Item) -> ItemChange:
            check_kind(item, is_folder)
            if item.status is not ItemStatus.DELETED:
                raise Conflict(f"item {item.id} is not in the trash", item)
            return ItemChange(
                status=ItemStatus.CHANGED,
                version=item.version + 1,
                modified_at=present(),
                parent_id=new_parent(item, parent_id),
                name=name,
                restores=True,
            )

        return await self._commits.change(
            principal, item_id, describe, expected=expected, request_id=request_id
        )
