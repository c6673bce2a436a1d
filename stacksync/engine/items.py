"""Files and folders one at a time: read, list, make folders, rename, move, delete.

What files consist of is not looked at here.  The trash is in :mod:`.trash`.
"""

from __future__ import annotations

from attrs import frozen

from stacksync.db.items import ItemTable
from stacksync.db.listings import Listings
from stacksync.engine import validation
from stacksync.engine.access import Access, check_may_write
from stacksync.engine.item_checks import check_kind, check_live, present
from stacksync.engine.item_commits import ItemCommits
from stacksync.engine.relocation import Relocation
from stacksync.engine.sharing.mounts import as_mounted
from stacksync.errors import (
    ContentEncrypted,
    InvalidRequest,
    NameTaken,
    ParentNotFound,
    QuotaExceeded,
)
from stacksync.model import (
    Item,
    ItemChange,
    ItemPage,
    ItemShape,
    ItemStatus,
    Paging,
    Principal,
    Workspace,
)

LONGEST_PAGE = 10_000
"""The most items of a page."""


@frozen
class Place:
    """Where a new item can stand: ``parent_id`` is ``None`` for the root."""

    workspace: Workspace
    parent_id: int | None


class Items:
    """Operations on items by id, whichever workspace of the principal's they are in.

    An id that is not the principal's, or one of the other kind, is
    :class:`~stacksync.errors.ItemNotFound`.  ``parent_id`` 0 is the root.
    ``expected`` and ``request_id`` are as in
    :class:`~stacksync.engine.item_commits.ItemCommits`, which also tells the errors of
    everything that writes.
    """

    def __init__(
        self,
        table: ItemTable,
        listings: Listings,
        access: Access,
        commits: ItemCommits,
        relocation: Relocation,
    ) -> None:
        self._relocation = relocation
        self._table = table
        self._listings = listings
        self._access = access
        self._commits = commits

    async def get(self, principal: Principal, item_id: int, *, is_folder: bool) -> Item:
        """The newest state of an item, deleted ones too.

        :raises ItemNotFound: see above.
        """
        held = await self._access.item(principal, item_id)
        check_kind(held.item, is_folder)
        return as_mounted(held)

    async def contents(
        self,
        principal: Principal,
        folder_id: int | None,
        paging: Paging,
        shape: ItemShape,
        *,
        include_deleted: bool = False,
    ) -> ItemPage:
        """A page of what is in a folder, the shared folders among it that are mounted there.

        :param folder_id: ``None`` or 0 for the root of the default workspace.
        :raises ItemNotFound: see above.
        :raises InvalidRequest: the paging makes no sense.
        """
        check_paging(paging)
        workspace = await self._listed(principal, folder_id)
        while True:
            page = await self._listings.contents(
                workspace.id,
                folder_id or None,
                paging,
                shape,
                include_deleted=include_deleted,
                mounts_of=principal.account_id if workspace.has_mounts else None,
            )
            if page.count or not folder_id:
                return page
            # It may have gone to another workspace meanwhile, with all that is in it.
            listed, workspace = workspace, await self._listed(principal, folder_id)
            if workspace.id == listed.id:
                return page

    async def create_folder(
        self,
        principal: Principal,
        name: str,
        parent_id: int | None,
        *,
        request_id: str | None = None,
    ) -> Item:
        """Make an empty folder.

        :param parent_id: ``None`` or 0 for the root of the default workspace.
        """
        validation.check_name("name", name)
        # Whether the parent is a live folder is the commit's to say: a repeat is
        # answered as the first time, whatever became of the folder since.
        workspace = (await self._home(principal, parent_id)).workspace
        change = ItemChange(
            status=ItemStatus.NEW,
            version=1,
            modified_at=present(),
            parent_id=parent_id or None,
            name=name,
            is_folder=True,
        )
        return await self._commits.create(principal, workspace.id, change, request_id=request_id)

    async def relocate(
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
        """Rename or move an item; one that is so already stays as it is.

        A shared folder is renamed and moved for the principal alone.

        :param name: ``None`` keeps it.
        :param parent_id: ``None`` keeps it, 0 is the root: of the item's
            workspace, or, where that is shared, of the default one.  In another
            workspace of the principal's: see :class:`.transfers.Transfers`.
        :raises ItemDeleted: it is in the trash.
        :raises NestedShare: a shared folder would stand in another.
        """
        return await self._relocation.relocate(
            principal,
            item_id,
            is_folder=is_folder,
            name=name,
            parent_id=parent_id,
            expected=expected,
            request_id=request_id,
        )

    async def delete(
        self,
        principal: Principal,
        item_id: int,
        *,
        is_folder: bool,
        expected: int | None = None,
        request_id: str | None = None,
    ) -> Item:
        """Put an item into the trash, a folder with all that is in it, in one commit.

        :raises ItemDeleted: it is there already.
        :raises SharedFolder: it is shared: it can be unshared, or left.
        """

        def describe(item: Item) -> ItemChange:
            check_kind(item, is_folder)
            check_live(item)
            return ItemChange(
                status=ItemStatus.DELETED,
                version=item.version + 1,
                modified_at=present(),
                parent_id=item.parent_id,
            )

        return await self._commits.change(
            principal, item_id, describe, expected=expected, request_id=request_id
        )

    async def place(
        self, principal: Principal, name: str, parent_id: int | None, size: int | None
    ) -> Place:
        """Where a new file can stand, as things are now; the commit decides.

        :param parent_id: ``None`` or 0 for the root of the default workspace.
        :param size: bytes; ``None`` if nobody knows yet.
        :raises ParentNotFound: no such live folder of the principal's.
        :raises Forbidden: the principal may only look.
        :raises ContentEncrypted: devices encrypt what is in this workspace.
        :raises NameTaken: a live item has the name.
        :raises QuotaExceeded: the owner's quota does not allow the size.
        :raises InvalidRequest: nothing can have this name or size.
        """
        validation.check_name("name", name)
        if size is not None and not 0 <= size < validation.INT64:
            raise InvalidRequest("size", f"{size} is not between 0 and 2^63 - 1")
        home = await self._home(principal, parent_id)
        if home.parent is not None and home.parent.status is ItemStatus.DELETED:
            raise ParentNotFound(parent_id)
        workspace = home.workspace
        if workspace.is_encrypted:
            raise ContentEncrypted(
                f"workspace {workspace.id} is encrypted by its devices: only they can make files"
                " in it"
            )
        # Where no parent is said, a shared workspace's folder is meant.
        place = Place(workspace, parent_id or None)
        taken = await self._table.live_named(workspace.id, place.parent_id, name)
        if taken is None and workspace.has_mounts:
            taken = await self._table.mount_named(principal.account_id, place.parent_id, name)
        if taken is not None:
            raise NameTaken(f"there is an item named {name!r} in this folder already", taken)
        left = workspace.owner.quota_left
        if size and size > left:
            raise QuotaExceeded(
                f"of the quota of {workspace.owner.quota_limit} bytes {left} are left:"
                f" too few for {size}"
            )
        return place

    async def _listed(self, principal: Principal, folder_id: int | None) -> Workspace:
        """The workspace that a folder is in."""
        if not folder_id:
            return await self._access.default_workspace(principal)
        held = await self._access.item(principal, folder_id)
        check_kind(held.item, True)
        return held.workspace

    async def _home(self, principal: Principal, parent_id: int | None) -> Home:
        """:raises ParentNotFound: no such folder.
        :raises Forbidden: the principal may only look.
        """
        if not parent_id:
            home = Home(await self._access.default_workspace(principal), None)
        else:
            held = await self._access.parent(principal, parent_id)
            home = Home(held.workspace, held.item)
        check_may_write(home.workspace)
        return home


@frozen
class Home:
    """A workspace and a folder of it, or with ``None`` its root."""

    workspace: Workspace
    parent: Item | None


def check_paging(paging: Paging) -> None:
    """:raises InvalidRequest: pages cannot be that long, or that short."""
    if not 0 < paging.limit <= LONGEST_PAGE:
        raise InvalidRequest("limit", f"{paging.limit} is not between 1 and {LONGEST_PAGE}")
