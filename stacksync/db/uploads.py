"""Statements about uploads that come in several requests.

The time comes from the caller, whose clock the rest of the engine goes by.
What an upload may become, and who may say so, is the engine's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from stacksync.db.connection import Row
from stacksync.db.database import Database

COLUMNS = (
    "id, account_id, workspace_id, device_id, parent_id, name, file_id, base_version, mimetype,"
    ' modified_at, metadata, length, "offset", refusals, item_id, item_version, expires_at'
)
OPEN = "id = %(id)s AND account_id = %(account)s AND expires_at > %(now)s"
UNFINISHED = (
    f'{OPEN} AND item_id IS NULL AND "offset" = %(offset)s AND workspace_id = %(workspace)s'
)
"""With its folder an upload may go to another workspace: what arrives then belongs there."""


@frozen
class Upload:
    """An upload without its bytes; the comments of table ``upload`` say what the columns mean."""

    id: UUID
    account_id: UUID
    workspace_id: UUID
    device_id: UUID | None
    parent_id: int | None
    name: str
    file_id: int | None
    base_version: int | None
    mimetype: str | None
    modified_at: datetime | None
    metadata: str
    length: int | None
    offset: int
    refusals: int
    item_id: int | None
    item_version: int | None
    expires_at: datetime

    @property
    def complete(self) -> bool:
        """Whether every byte has arrived."""
        return self.offset == self.length


@frozen
class Arrived:
    """What is kept of the bytes that arrived, so that any instance can go on from there.

    :ivar chunks: the names of chunks that are in the store.
    :ivar tail: the bytes after them, not cut yet.
    :ivar checksum: Adler-32 of all bytes.
    :ivar mimetype: what the content seems to be, once its beginning is known.
    """

    chunks: Sequence[str]
    tail: bytes
    checksum: int
    mimetype: str | None


def upload(row: Row) -> Upload:
    """An upload from the columns :data:`COLUMNS`."""
    return Upload(*row)


class UploadTable:
    """The ``upload`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, new: Upload, checksum: int, now: datetime) -> bool:
        """Add an upload of which nothing has arrived.

        :param checksum: of no bytes.
        :returns: ``False``: its file or folder has gone to another workspace.
        """
        rows = await self._database.query(
            "add upload",
            f"""
            -- Locked, so that who moves it elsewhere meanwhile sees the upload, or is seen.
            WITH place AS (SELECT workspace_id FROM item WHERE id = %s FOR SHARE)
            INSERT INTO upload ({COLUMNS}, checksum, created_at)
            SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s
            WHERE NOT EXISTS (SELECT FROM place WHERE workspace_id <> %s)
            ON CONFLICT (id) DO UPDATE SET id = excluded.id
            RETURNING 1
            """,
            [
                new.file_id or new.parent_id,
                *(new.id, new.account_id, new.workspace_id, new.device_id, new.parent_id),
                *(new.name, new.file_id, new.base_version, new.mimetype, new.modified_at),
                *(new.metadata, new.length, new.offset, new.refusals, new.item_id),
                *(new.item_version, new.expires_at, checksum, now),
                new.workspace_id,
            ],
            repeatable=True,
        )
        return bool(rows)

    async def find(self, account_id: UUID, upload_id: UUID, now: datetime) -> Upload | None:
        """The upload, if it is the account's and has not expired."""
        rows = await self._database.query(
            "read upload",
            f"SELECT {COLUMNS} FROM upload WHERE {OPEN}",
            {"id": upload_id, "account": account_id, "now": now},
            repeatable=True,
        )
        return upload(rows[0]) if rows else None

    async def arrived(self, upload: Upload, expires_at: datetime, now: datetime) -> Arrived | None:
        """What to go on from, without the chunks; ``None`` if it is not there any more.

        It is kept for longer from now on, so that nobody collects its chunks
        as those of an expired upload while it is gone on with.
        """
        rows = await self._database.query(
            "take up upload",
            f"""
            UPDATE upload SET expires_at = greatest(expires_at, %(expires)s)
            WHERE {UNFINISHED} RETURNING tail, checksum, found_mimetype
            """,
            {**_key(upload, now), "expires": expires_at},
            repeatable=True,
        )
        return Arrived((), bytes(rows[0][0]), *rows[0][1:]) if rows else None

    async def chunks(self, upload_id: UUID) -> tuple[str, ...]:
        """The chunks of an upload, in order."""
        rows = await self._database.query(
            "read upload's chunks",
            "SELECT chunks FROM upload WHERE id = %s",
            [upload_id],
            repeatable=True,
        )
        return tuple(rows[0][0]) if rows else ()

    async def set_length(self, upload: Upload, length: int, now: datetime) -> Upload | None:
        """Say how long it will be; ``None`` if another length is known, or it has gone on."""
        rows = await self._database.query(
            "set upload's length",
            f"""
            UPDATE upload SET length = %(length)s
            WHERE {UNFINISHED} AND coalesce(length, %(length)s) = %(length)s RETURNING {COLUMNS}
            """,
            {**_key(upload, now), "length": length},
            repeatable=True,
        )
        return _upload_or_none(rows)

    async def advance(
        self, upload: Upload, offset: int, more: Arrived, expires_at: datetime, now: datetime
    ) -> Upload | None:
        """Keep what more has arrived; of several who do that from one offset, one succeeds.

        :param offset: bytes that have arrived in all.
        :param more: the chunks that came since, and the state after them.
        :returns: ``None`` if the upload has gone on from its offset, or is gone.
        """
        rows = await self._database.query(
            "advance upload",
            f"""
            UPDATE upload SET "offset" = %(reached)s, chunks = chunks || %(chunks)s::text[],
                tail = %(tail)s, checksum = %(checksum)s, found_mimetype = %(mimetype)s,
                expires_at = %(expires)s
            WHERE {UNFINISHED} RETURNING {COLUMNS}
            """,
            {
                **_key(upload, now),
                "reached": offset,
                "chunks": list(more.chunks),
                "tail": more.tail,
                "checksum": more.checksum,
                "mimetype": more.mimetype,
                "expires": expires_at,
            },
        )
        return _upload_or_none(rows)

    async def refused(self, upload: Upload, now: datetime) -> None:
        """Count a refused commit, so that the next try is a request of its own."""
        await self._database.query(
            "count upload's refusal",
            f"UPDATE upload SET refusals = refusals + 1 WHERE {OPEN} AND refusals = %(refusals)s",
            {**_key(upload, now), "refusals": upload.refusals},
            repeatable=True,
        )

    async def finish(
        self, upload: Upload, item_id: int, item_version: int, expires_at: datetime, now: datetime
    ) -> Upload | None:
        """Note the file that it became; its chunks are the file's business from now on."""
        rows = await self._database.query(
            "finish upload",
            f"""
            UPDATE upload SET item_id = %(item)s, item_version = %(version)s, chunks = '{{}}',
                tail = '', expires_at = %(expires)s
            WHERE {OPEN} RETURNING {COLUMNS}
            """,
            {
                **_key(upload, now),
                "item": item_id,
                "version": item_version,
                "expires": expires_at,
            },
            repeatable=True,
        )
        return _upload_or_none(rows)

    async def delete(self, account_id: UUID, upload_id: UUID, now: datetime) -> bool:
        """Forget an upload; whether it was there."""
        rows = await self._database.query(
            "remove upload",
            f"DELETE FROM upload WHERE {OPEN} RETURNING 1",
            {"id": upload_id, "account": account_id, "now": now},
        )
        return bool(rows)

    async def delete_expired(self, now: datetime) -> int:
        """Forget all that have expired; how many those were."""
        rows = await self._database.query(
            "remove expired uploads",
            "DELETE FROM upload WHERE expires_at <= %s RETURNING 1",
            [now],
            repeatable=True,
        )
        return len(rows)


def _key(upload: Upload, now: datetime) -> dict[str, object]:
    return {
        "id": upload.id,
        "account": upload.account_id,
        "workspace": upload.workspace_id,
        "offset": upload.offset,
        "now": now,
    }


def _upload_or_none(rows: Sequence[Row]) -> Upload | None:
    return upload(rows[0]) if rows else None
