"""Statements about consumers: the applications that may ask people for access (OAuth 1.0a)."""

from __future__ import annotations

from uuid import UUID

from stacksync.db.connection import Row
from stacksync.db.database import Database, Transaction
from stacksync.model import Consumer

COLUMNS = "key, name, callback, created_at, revoked_at, secret"


def consumer(row: Row) -> Consumer:
    """A consumer from the columns :data:`COLUMNS`."""
    return Consumer(*row)


class ConsumerTable:
    """The ``consumer`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(
        self, transaction: Transaction, key: str, secret: str, name: str, callback: str | None
    ) -> Consumer:
        rows = await transaction.query(
            "INSERT INTO consumer (key, secret, name, callback) VALUES (%s, %s, %s, %s)"
            f" RETURNING {COLUMNS}",
            [key, secret, name, callback],
        )
        return consumer(rows[0])

    async def all(self) -> tuple[Consumer, ...]:
        """Oldest first, with those that were revoked."""
        rows = await self._database.query(
            "list consumers",
            f"SELECT {COLUMNS} FROM consumer ORDER BY created_at, key",
            repeatable=True,
        )
        return tuple(map(consumer, rows))

    async def callback(self, key: str) -> str | None:
        """Where a consumer may send people back to, if anywhere."""
        rows = await self._database.query(
            "read consumer's callback",
            "SELECT callback FROM consumer WHERE key = %s",
            [key],
            repeatable=True,
        )
        return rows[0][0] if rows else None

    async def revoke(self, transaction: Transaction, key: str) -> Consumer | None:
        """Note that it can do nothing any more; ``None`` if there is none.

        One that was revoked before keeps the time of that.
        """
        rows = await transaction.query(
            "UPDATE consumer SET revoked_at = coalesce(revoked_at, now()) WHERE key = %s"
            f" RETURNING {COLUMNS}",
            [key],
        )
        return consumer(rows[0]) if rows else None

    async def remove_tokens(self, transaction: Transaction, key: str) -> tuple[UUID, ...]:
        """Remove all that it holds or has asked for; the accounts that it acted for, by id."""
        await transaction.query("DELETE FROM request_token WHERE consumer_key = %s", [key])
        rows = await transaction.query(
            """
            WITH removed AS (DELETE FROM token WHERE consumer_key = %s RETURNING account_id)
            SELECT DISTINCT account_id FROM removed ORDER BY account_id
            """,
            [key],
        )
        return tuple(row[0] for row in rows)
