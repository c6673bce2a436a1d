"""Uploads that come in several requests, and become a file when every byte is there.

What has arrived is in the database and in the store, so any instance goes on
from there.  Of several requests that go on from one offset, one succeeds.  How
requests look (tus 1.0) is the front-end's business.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from stacksync.db.uploads import Arrived, Upload, UploadTable
from stacksync.engine.access import Access, check_may_write, check_scope
from stacksync.engine.carried_out import carried_out
from stacksync.engine.content import ContentStore, ContentWriter, WriterState
from stacksync.engine.uploads.body import Checksum, UploadBody
from stacksync.engine.uploads.target import UploadOrder, UploadTarget
from stacksync.errors import (
    ElsewhereNow,
    InvalidRequest,
    OffsetMismatch,
    StackSyncError,
    TooLarge,
    Unavailable,
    UploadNotFound,
)
from stacksync.interfaces import IByteStream
from stacksync.model import Content, Principal

__all__ = ["Checksum", "Upload", "UploadOrder", "Uploads"]

log = Logger()

PORTION = 32 * 1024**2
"""Bytes after which what arrived is kept, so that a crash costs no more than these."""


class Uploads:
    """Operations on a principal's own uploads.

    :param expire: seconds that an upload is kept after its last piece.
    """

    def __init__(
        self,
        reactor: Any,
        table: UploadTable,
        target: UploadTarget,
        content: ContentStore,
        access: Access,
        expire: float,
    ) -> None:
        self._reactor = reactor
        self._table = table
        self._target = target
        self._content = content
        self._access = access
        self._expire = timedelta(seconds=expire)

    async def create(self, principal: Principal, order: UploadOrder) -> Upload:
        """Begin an upload, if it can succeed as things are now.

        :raises InvalidRequest: no file can be like this.
        :raises ParentNotFound: no such folder.
        :raises ItemNotFound: no such file.
        :raises ItemDeleted: the file is in the trash.
        :raises VersionMismatch: the file is at another version.
        :raises NameTaken: there is such a file or folder already.
        :raises QuotaExceeded: there is no room for so many bytes.
        :raises Forbidden: the principal may only look.
        :raises ContentEncrypted: the server can't make content in this workspace.
        :raises ElsewhereNow: its folder has gone to another workspace meanwhile.
        """
        place = await self._target.find(principal, order)
        now = self._now()
        new = Upload(
            id=uuid4(),
            account_id=principal.account_id,
            workspace_id=place.workspace_id,
            device_id=principal.device_id,
            parent_id=place.parent_id,
            name=place.name,
            file_id=order.file_id,
            base_version=order.base_version,
            mimetype=order.mimetype,
            modified_at=order.modified_at,
            metadata=order.metadata,
            length=order.length,
            offset=0,
            refusals=0,
            item_id=None,
            item_version=None,
            expires_at=now + self._expire,
        )
        if not await self._table.insert(new, WriterState().checksum, now):
            raise ElsewhereNow("its folder has gone to another workspace meanwhile: send it again")
        return new

    async def get(self, principal: Principal, upload_id: UUID) -> Upload:
        """:raises UploadNotFound: no such upload, or not the principal's, or expired."""
        upload = await self._table.find(principal.account_id, upload_id, self._now())
        if upload is None:
            raise UploadNotFound(upload_id)
        return upload

    async def append(
        self,
        principal: Principal,
        upload_id: UUID,
        offset: int,
        body: IByteStream,
        *,
        size: int | None = None,
        checksum: Checksum | None = None,
        length: int | None = None,
        limit: int | None = None,
    ) -> Upload:
        """Take the next piece; when it is the last one, make the file.

        A piece that breaks off is kept as far as it came, unless it has a
        checksum: then all of it is kept or nothing.  An empty piece after the
        last byte tries again to make the file, or tells the one that was made.
        Cancelling ends the wait, not the work.

        :param offset: where the piece starts, which is where the upload stands.
        :param size: bytes of the piece; ``None``: as many as come.
        :param length: of the whole, where it has not been said before.
        :param limit: the most bytes that a whole of unknown length may have.
        :raises UploadNotFound: see :meth:`get`.
        :raises OffsetMismatch: the upload stands elsewhere, perhaps by now.
        :raises ElsewhereNow: its folder has gone to another workspace meanwhile.
        :raises TooLarge: the piece goes beyond the end.
        :raises InvalidRequest: another length was said before.
        :raises IncompleteBody: the piece broke off.
        :raises ChecksumMismatch: the piece is not what its sender says.
        :raises StackSyncError: the file can't be made; see :meth:`settle`.
        """

        async def work() -> Upload:
            check_scope(principal)
            upload = await self.get(principal, upload_id)
            if offset != upload.offset:
                raise stands_elsewhere(upload, offset)
            if length is not None:
                upload = await self._declare(principal, upload, length)
            room = await self._room(principal, upload, limit)
            if size is not None and size > room:
                raise TooLarge(f"the piece has {size} bytes; {room} are left to send")
            if size != 0:
                upload = await self._receive(
                    principal, upload, UploadBody(body, room, checksum), checksum is None
                )
            return await self._settled(principal, upload)

        return await carried_out(Deferred.fromCoroutine(work()))

    async def settle(self, principal: Principal, upload_id: UUID) -> Upload:
        """Make the file of an upload that has all its bytes and no file yet.

        That is so after a crash between the two, and when it was refused.

        :raises UploadNotFound: see :meth:`get`.
        :raises NameTaken: there is such a file or folder by now.
        :raises VersionMismatch: the file is at another version by now.
        :raises StackSyncError: whatever else a commit is refused with; the
            upload stays as it is.
        """
        upload = await self.get(principal, upload_id)
        return await carried_out(Deferred.fromCoroutine(self._settled(principal, upload)))

    async def terminate(self, principal: Principal, upload_id: UUID) -> None:
        """Give an upload up; a file that it became stays.

        :raises UploadNotFound: see :meth:`get`.
        """
        check_scope(principal)
        if not await self._table.delete(principal.account_id, upload_id, self._now()):
            raise UploadNotFound(upload_id)

    async def remove_expired(self) -> int:
        """Forget the uploads whose time is over; how many those were."""
        return await self._table.delete_expired(self._now())

    async def _declare(self, principal: Principal, upload: Upload, length: int) -> Upload:
        if upload.length == length:
            return upload
        if upload.length is not None:
            raise InvalidRequest("Upload-Length", f"is {upload.length}, and can't change")
        if length < upload.offset:
            raise InvalidRequest("Upload-Length", f"{upload.offset} bytes have arrived already")
        await self._target.check_length(principal, upload, length)
        told = await self._table.set_length(upload, length, self._now())
        if told is None:
            raise overtaken(await self.get(principal, upload.id), upload)
        return told

    async def _room(self, principal: Principal, upload: Upload, limit: int | None) -> int:
        """Bytes that may still come."""
        most = upload.length
        if most is None:
            most = await self._target.room(principal, upload)
            if limit is not None:
                most = min(most, limit)
        return max(0, most - upload.offset)

    async def _receive(
        self, principal: Principal, upload: Upload, body: UploadBody, by_portions: bool
    ) -> Upload:
        writer = await self._writer(principal, upload)
        kept = 0
        try:
            while not body.ended:
                body.begin_portion(PORTION)
                await writer.write(body)
                if by_portions and writer.state.size > upload.offset:
                    upload = await self._keep(principal, upload, writer.state, kept)
                    kept = len(writer.state.chunks)
            body.check()
        finally:
            await body.close()
        if not by_portions:
            upload = await self._keep(principal, upload, writer.state, kept)
        return upload

    async def _keep(
        self, principal: Principal, upload: Upload, state: WriterState, kept: int
    ) -> Upload:
        now = self._now()
        more = Arrived(state.chunks[kept:], state.tail, state.checksum, state.mimetype)
        advanced = await self._table.advance(upload, state.size, more, now + self._expire, now)
        if advanced is None:
            raise overtaken(await self.get(principal, upload.id), upload)
        return advanced

    async def _settled(self, principal: Principal, upload: Upload) -> Upload:
        if not upload.complete or upload.item_id is not None:
            return upload
        try:
            content = await self._content_of(principal, upload)
        except OffsetMismatch:
            newest = await self.get(principal, upload.id)
            if newest.item_id is None:
                raise
            return newest
        now = self._now()
        try:
            item = await self._target.commit(principal, upload, content)
        except Unavailable:
            raise
        except StackSyncError:
            await self._table.refused(upload, now)
            raise
        finished = await self._table.finish(upload, item.id, item.version, now + self._expire, now)
        return finished or evolve(upload, item_id=item.id, item_version=item.version)

    async def _content_of(self, principal: Principal, upload: Upload) -> Content:
        writer = await self._writer(principal, upload)
        last = await writer.finish()
        return evolve(last, chunks=(*await self._table.chunks(upload.id), *last.chunks))

    async def _writer(self, principal: Principal, upload: Upload) -> ContentWriter:
        """What goes on where the upload stands, as if no chunks were before: they may be many."""
        workspace = await self._access.workspace(principal, upload.workspace_id)
        check_may_write(workspace)
        now = self._now()
        arrived = await self._table.arrived(upload, now + self._expire, now)
        if arrived is None:
            raise overtaken(await self.get(principal, upload.id), upload)
        state = WriterState(
            chunks=(),
            size=upload.offset,
            checksum=arrived.checksum,
            tail=arrived.tail,
            mimetype=arrived.mimetype or upload.mimetype,
        )
        return self._content.writer(workspace, upload.name, state=state)

    def _now(self) -> datetime:
        now = datetime.fromtimestamp(self._reactor.seconds(), UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


def overtaken(newest: Upload, upload: Upload) -> OffsetMismatch | ElsewhereNow:
    """Why an upload could not be gone on with."""
    if newest.workspace_id != upload.workspace_id:
        return ElsewhereNow(
            f"the upload's folder has gone to another workspace meanwhile: go on from"
            f" {newest.offset}"
        )
    return stands_elsewhere(newest, upload.offset)


def stands_elsewhere(upload: Upload, offset: int) -> OffsetMismatch:
    return OffsetMismatch(f"the upload stands at {upload.offset}, not at {offset}")
