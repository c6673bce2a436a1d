"""Files with their content: make, replace, read, go back to an earlier version.

What can be refused is refused before the first byte of a body is asked for;
nothing is visible before the one commit at its end, and a body that breaks off
leaves no more than chunks that nobody refers to.
"""

from __future__ import annotations

from datetime import datetime

from attrs import evolve, field, frozen

from stacksync.db.items import HeldItem
from stacksync.engine import validation
from stacksync.engine.access import Access, check_may_write, check_scope
from stacksync.engine.content import ContentStore
from stacksync.engine.content.bounded import BoundedBody
from stacksync.engine.devices import Devices
from stacksync.engine.item_checks import check_kind, check_live, present
from stacksync.engine.item_commits import ItemCommits, check_version
from stacksync.engine.items import Items
from stacksync.engine.repeats import Repeats
from stacksync.engine.versions import Versions
from stacksync.errors import ContentEncrypted, QuotaExceeded
from stacksync.interfaces import IByteStream
from stacksync.model import Content, Item, ItemChange, ItemStatus, Principal, Workspace


@frozen
class FileContent:
    """A version of a file, to be read from."""

    item: Item
    _workspace: Workspace = field(repr=False)
    _content: ContentStore = field(repr=False)

    async def read(self, start: int, stop: int) -> IByteStream:
        """The bytes from ``start`` up to but not including ``stop``; close it in the end.

        The first of them are there when this returns.  Either all of them are
        given or reading raises.

        :raises DamagedContent: a chunk is missing or is not what it should be.
        :raises Unavailable: the store is away.
        """
        return await self._content.reader(self._workspace, self.item, start, stop)


class Files:
    """Operations on files by id.

    ``expected`` and ``request_id`` are as in
    :class:`~stacksync.engine.item_commits.ItemCommits`, which also tells the
    errors of everything that writes.  A repeat of a request that has been
    committed is answered without its body being read.  Bodies are not closed.
    """

    def __init__(
        self,
        content: ContentStore,
        items: Items,
        versions: Versions,
        commits: ItemCommits,
        repeats: Repeats,
        access: Access,
        devices: Devices,
    ) -> None:
        self._content = content
        self._items = items
        self._versions = versions
        self._commits = commits
        self._repeats = repeats
        self._access = access
        self._devices = devices

    async def create(
        self,
        principal: Principal,
        name: str,
        parent_id: int | None,
        body: IByteStream,
        *,
        length: int | None,
        mimetype: str | None = None,
        modified_at: datetime | None = None,
        request_id: str | None = None,
    ) -> Item:
        """Make a file of a body.

        :param parent_id: ``None`` or 0 for the root of the default workspace.
        :param length: bytes of the body; ``None`` if nobody knows.
        :param mimetype: left out, what content and name tell.
        :param modified_at: left out, now.
        :raises IncompleteBody: the body ends before its length.
        :raises TooLarge: it goes on after it, or has too many chunks.
        :raises Unavailable: the store or the database is away.
        :raises ElsewhereNow: the folder has gone to another workspace meanwhile.

        Before the body is read also what :meth:`.items.Items.place` raises.
        """
        made = await self._repeats.made(principal, request_id)
        if (
            made is not None
            and made.status is ItemStatus.NEW
            and (made.name, made.parent_id) == (name, parent_id or None)
            and length in (None, made.size)
        ):
            return made
        await self._check_author(principal, modified_at)
        place = await self._items.place(principal, name, parent_id, length)
        content = await self._content.put_content(
            place.workspace,
            name,
            self._bounded(body, length, place.workspace, held=0),
            mimetype=mimetype,
        )
        change = ItemChange(
            status=ItemStatus.NEW,
            version=1,
            modified_at=modified_at or present(),
            parent_id=place.parent_id,
            name=name,
            is_folder=False,
        )
        return await self._commits.create(
            principal, place.workspace.id, with_content(change, content), request_id=request_id
        )

    async def replace(
        self,
        principal: Principal,
        item_id: int,
        body: IByteStream,
        *,
        length: int | None,
        mimetype: str | None = None,
        modified_at: datetime | None = None,
        expected: int | None = None,
        request_id: str | None = None,
    ) -> Item:
        """Give a file new content.  Parameters and errors are those of :meth:`create`, and:

        :raises ItemNotFound: no such file, or in no workspace of the principal's.
        :raises ItemDeleted: it is in the trash.
        :raises ContentEncrypted: devices encrypt what is in its workspace.
        :raises VersionMismatch: it is not at the ``expected`` version.
        """
        held = await self._access.item(principal, item_id)
        check_kind(held.item, False)
        check_may_write(held.workspace)
        made = await self._repeats.made(principal, request_id)
        if (
            made is not None
            and (made.id, made.status) == (item_id, ItemStatus.CHANGED)
            and length in (None, made.size)
        ):
            return made
        await self._check_author(principal, modified_at)
        check_replaceable(held, expected)
        bounded = self._bounded(body, length, held.workspace, held=held.item.size)
        content = await self._content.put_content(
            held.workspace, held.item.name, bounded, mimetype=mimetype
        )
        now = modified_at or present()

        def describe(item: Item) -> ItemChange:
            check_live(item)
            return with_content(changed(item, now), content)

        return await self._commits.change(
            principal,
            item_id,
            describe,
            expected=expected,
            request_id=request_id,
            only_in=held.workspace.id,
        )

    async def restore_version(
        self,
        principal: Principal,
        item_id: int,
        number: int,
        *,
        expected: int | None = None,
        request_id: str | None = None,
    ) -> Item:
        """Make an earlier version's content the newest; name and folder stay as they are.

        :raises ItemNotFound: no such file, or in no workspace of the principal's.
        :raises VersionNotFound: it has no such version, or it is not kept any more.
        :raises ItemDeleted: the file is in the trash.
        """
        version = await self._versions.one(principal, item_id, number)
        check_kind(version, False)
        content = Content(version.chunks, version.size, version.checksum, version.mimetype)

        def describe(item: Item) -> ItemChange | None:
            check_live(item)
            if item.version == number:
                return None
            return with_content(changed(item, present()), content)

        return await self._commits.change(
            principal, item_id, describe, expected=expected, request_id=request_id
        )

    async def open(
        self, principal: Principal, item_id: int, number: int | None = None
    ) -> FileContent:
        """A file to read from.

        :param number: a version; ``None``: the newest.
        :raises ItemNotFound: no such file, or in no workspace of the principal's.
        :raises VersionNotFound: it has no such version, or it is not kept any more.
        :raises ItemDeleted: it is in the trash, and no version was named.
        :raises ContentEncrypted: only devices can read what is in its workspace.
        """
        held = await self._access.item(principal, item_id)
        check_kind(held.item, False)
        check_plain(held.workspace)
        if number is None:
            check_live(held.item)
            return FileContent(held.item, held.workspace, self._content)
        version = await self._versions.one(principal, item_id, number)
        return FileContent(version, held.workspace, self._content)

    async def _check_author(self, principal: Principal, modified_at: datetime | None) -> None:
        """What the commit would refuse after the whole body has come.

        :raises Forbidden: the principal has signed in by a token for reading alone.
        :raises DeviceNotFound: the principal has named a device that is not its own.
        :raises InvalidRequest: no item can have been modified then.
        """
        check_scope(principal)
        validation.check_instant("modified_at", modified_at)
        await self._devices.check_acting(principal)

    def _bounded(
        self, body: IByteStream, length: int | None, workspace: Workspace, held: int
    ) -> IByteStream:
        """The body, held to its length and to what the quota allows besides what is held.

        :raises QuotaExceeded: the length alone is more than that.
        """
        owner = workspace.owner
        most = owner.quota_left + held

        def exceeded() -> QuotaExceeded:
            return QuotaExceeded(
                f"the owner's quota of {owner.quota_limit} bytes leaves {most} for this file"
            )

        if length is not None and length > most:
            raise exceeded()
        return BoundedBody(body, length=length, most=most, refusal=exceeded)


def changed(item: Item, now: datetime) -> ItemChange:
    return ItemChange(
        status=ItemStatus.CHANGED,
        version=item.version + 1,
        modified_at=now,
        id=item.id,
        parent_id=item.parent_id,
    )


def with_content(change: ItemChange, content: Content) -> ItemChange:
    return evolve(
        change,
        size=content.size,
        checksum=content.checksum,
        mimetype=content.mimetype,
        chunks=content.chunks,
    )


def check_replaceable(held: HeldItem, expected: int | None) -> None:
    """See whether a file can be given new content, as things are now.

    :param expected: the version that it must have; ``None``: whichever.
    :raises VersionMismatch: it has another.
    :raises ItemDeleted: it is in the trash.
    :raises ContentEncrypted: devices encrypt what is in its workspace.
    """
    check_version(held.item, expected)
    check_live(held.item)
    check_plain(held.workspace)


def check_plain(workspace: Workspace) -> None:
    """:raises ContentEncrypted: the server cannot make or read content in this workspace."""
    if workspace.is_encrypted:
        raise ContentEncrypted(
            f"workspace {workspace.id} is encrypted by its devices: its files can be read and"
            " written chunk by chunk only"
        )
