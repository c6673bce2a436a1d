"""What an upload is to become: a new file, or new content of a file that is there.

Says beforehand what can't succeed, and commits what has arrived.  Beforehand
is a courtesy: the commit decides.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import evolve, frozen

from stacksync.db.uploads import Upload
from stacksync.engine import validation
from stacksync.engine.access import Access, check_may_write, check_scope
from stacksync.engine.devices import Devices
from stacksync.engine.files import changed, check_replaceable, with_content
from stacksync.engine.item_checks import check_kind, check_live, present
from stacksync.engine.item_commits import ItemCommits
from stacksync.engine.items import Items
from stacksync.errors import InvalidRequest, QuotaExceeded
from stacksync.model import Content, Item, ItemChange, ItemStatus, Principal


@frozen
class UploadOrder:
    """What is to be uploaded: a new file, or, where ``file_id`` is said, its new content.

    :ivar length: bytes; ``None``: to be said later.
    :ivar metadata: what the sender said of it, in its own words, to be given back.
    :ivar parent_id: the new file's folder; ``None`` or 0: the root of the default workspace.
    :ivar base_version: the version that the file must have to be replaced.
    """

    length: int | None
    metadata: str = ""
    name: str = ""
    parent_id: int | None = None
    file_id: int | None = None
    base_version: int | None = None
    mimetype: str | None = None
    modified_at: datetime | None = None


@frozen
class UploadPlace:
    """Where an upload will stand, under what name."""

    workspace_id: UUID
    parent_id: int | None
    name: str


class UploadTarget:
    """Finds the places of uploads, and fills them."""

    def __init__(
        self, items: Items, commits: ItemCommits, devices: Devices, access: Access
    ) -> None:
        self._items = items
        self._commits = commits
        self._devices = devices
        self._access = access

    async def find(self, principal: Principal, order: UploadOrder) -> UploadPlace:
        """The place for an upload, if it can stand there as things are now.

        :raises StackSyncError: see :meth:`stacksync.engine.uploads.Uploads.create`.
        """
        check_scope(principal)
        validation.check_text("filetype", order.mimetype)
        validation.check_instant("modified_at", order.modified_at)
        check_length(order.length)
        await self._devices.check_acting(principal)
        if order.file_id is None:
            place = await self._items.place(principal, order.name, order.parent_id, order.length)
            return UploadPlace(place.workspace.id, place.parent_id, order.name)
        held = await self._access.item(principal, order.file_id)
        check_kind(held.item, False)
        check_may_write(held.workspace)
        check_replaceable(held, order.base_version)
        check_room(order.length, held.workspace.owner.quota_left + held.item.size)
        return UploadPlace(held.workspace.id, None, held.item.name)

    async def room(self, principal: Principal, upload: Upload) -> int:
        """How many bytes the owner's quota allows, with those that it replaces."""
        workspace = await self._access.workspace(principal, upload.workspace_id)
        left = workspace.owner.quota_left
        if upload.file_id is None:
            return left
        held = await self._items.get(principal, upload.file_id, is_folder=False)
        return left + live_size(held)

    async def check_length(self, principal: Principal, upload: Upload, length: int) -> None:
        """See whether an upload may have this length, which has only now been said.

        :raises InvalidRequest: nothing has such a length.
        :raises QuotaExceeded: there is no room for so many bytes.
        """
        check_length(length)
        check_room(length, await self.room(principal, upload))

    async def commit(self, principal: Principal, upload: Upload, content: Content) -> Item:
        """Make the file, in the name of the device that began the upload.

        Harmless when repeated, for it is always the same request, until one
        was refused: the next is a new one.

        :raises StackSyncError: see :class:`~stacksync.engine.item_commits.ItemCommits`.
        """
        author = evolve(principal, device_id=upload.device_id)
        request_id = str(upload.id)
        if upload.refusals:
            request_id = f"{request_id}/{upload.refusals}"
        when = upload.modified_at or present()
        if upload.file_id is None:
            new = ItemChange(
                status=ItemStatus.NEW,
                version=1,
                modified_at=when,
                parent_id=upload.parent_id,
                name=upload.name,
                is_folder=False,
            )
            return await self._commits.create(
                author, upload.workspace_id, with_content(new, content), request_id=request_id
            )

        def describe(item: Item) -> ItemChange:
            check_kind(item, False)
            check_live(item)
            return with_content(changed(item, when), content)

        return await self._commits.change(
            author,
            upload.file_id,
            describe,
            expected=upload.base_version,
            request_id=request_id,
            only_in=upload.workspace_id,
        )


def check_length(length: int | None) -> None:
    if length is not None and not 0 <= length < validation.INT64:
        raise InvalidRequest("Upload-Length", f"{length} is not between 0 and 2^63 - 1")


def check_room(length: int | None, room: int) -> None:
    """:raises QuotaExceeded: the owner's quota does not allow so many bytes."""
    if length is not None and length > room:
        raise QuotaExceeded(f"the owner's quota leaves {room} bytes for this file, not {length}")


def live_size(item: Item) -> int:
    """What an item takes of the quota."""
    return 0 if item.status is ItemStatus.DELETED else item.size
