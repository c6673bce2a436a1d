"""Statements about tokens, of devices and of applications alike.

Their secrets come in and are looked up as hashes; none is ever read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from attrs import frozen

from stacksync.db.connection import Row
from stacksync.db.database import Database, Transaction
from stacksync.model import Scope, Token

COLUMNS = """
    t.id, t.account_id, t.name, t.scope, t.device_id, t.consumer_key, c.name, t.created_at,
    t.expires_at, t.used_at
"""
FROM = "token t LEFT JOIN consumer c ON c.key = t.consumer_key"
LIVE = "(t.expires_at IS NULL OR t.expires_at > now())"

USED_AT_STEP = timedelta(minutes=10)
"""How far behind ``used_at`` may be: not every use is worth a write."""


@frozen
class FoundToken:
    """A token that somebody has shown.

    :ivar lasts: seconds until it expires, by the database's clock; ``None``: it does not.
    """

    token: Token
    lasts: float | None


def token(row: Row) -> Token:
    """A token from the columns :data:`COLUMNS`."""
    return Token(row[0], row[1], row[2], Scope(row[3]), *row[4:])


class TokenTable:
    """The ``token`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, transaction: Transaction, account_id: UUID) -> int:
        """How many live tokens an account has."""
        rows = await transaction.query(
            f"SELECT count(*) FROM token t WHERE t.account_id = %s AND {LIVE}", [account_id]
        )
        return int(rows[0][0])

    async def insert(
        self,
        transaction: Transaction,
        account_id: UUID,
        device_id: UUID,
        name: str,
        scope: Scope,
        secret_hash: bytes,
        lifetime: float,
    ) -> Token:
        """Add a device's token.

        :param lifetime: seconds until it expires.
        """
        rows = await transaction.query(
            f"""
            WITH t AS (
                INSERT INTO token (account_id, device_id, name, scope, secret_hash, expires_at)
                VALUES (%s, %s, %s, %s, %s, date_trunc('milliseconds', now() + %s)) RETURNING *)
            SELECT {COLUMNS} FROM t LEFT JOIN consumer c ON c.key = t.consumer_key
            """,
            [account_id, device_id, name, scope.value, secret_hash, timedelta(seconds=lifetime)],
        )
        return token(rows[0])

    async def by_hash(self, secret_hash: bytes) -> FoundToken | None:
        """The live token of a device that has this secret; notes that it is used."""
        rows = await self._database.query(
            "find token",
            f"""
            WITH used AS (
                UPDATE token SET used_at = now()
                WHERE secret_hash = %(hash)s AND (used_at IS NULL OR used_at < now() - %(step)s))
            SELECT {COLUMNS}, extract(epoch FROM t.expires_at - now())::float8
                FROM {FROM} JOIN device d ON d.id = t.device_id
                WHERE t.secret_hash = %(hash)s AND d.revoked_at IS NULL AND {LIVE}
            """,
            {"hash": secret_hash, "step": USED_AT_STEP},
            repeatable=True,
        )
        return FoundToken(token(rows[0][:-1]), rows[0][-1]) if rows else None

    async def by_id(self, token_id: UUID) -> Token | None:
        rows = await self._database.query(
            "read token",
            f"SELECT {COLUMNS} FROM {FROM} WHERE t.id = %s AND {LIVE}",
            [token_id],
            repeatable=True,
        )
        return token(rows[0]) if rows else None

    async def list(self, account_id: UUID | None = None) -> Sequence[Token]:
        """The live tokens of an account, or of all, oldest first."""
        rows = await self._database.query(
            "list tokens",
            f"""
            SELECT {COLUMNS} FROM {FROM}
                WHERE (%(account)s::uuid IS NULL OR t.account_id = %(account)s) AND {LIVE}
                ORDER BY t.created_at, t.id
            """,
            {"account": account_id},
            repeatable=True,
        )
        return tuple(map(token, rows))

    async def remove(
        self, transaction: Transaction, account_id: UUID, token_id: UUID
    ) -> Token | None:
        """Remove one token of an account; ``None`` if it has none such."""
        rows = await transaction.query(
            f"""
            WITH t AS (DELETE FROM token WHERE id = %s AND account_id = %s RETURNING *)
            SELECT {COLUMNS} FROM t LEFT JOIN consumer c ON c.key = t.consumer_key
            """,
            [token_id, account_id],
        )
        return token(rows[0]) if rows else None

    async def remove_all(self, transaction: Transaction, account_id: UUID) -> int:
        """Remove all tokens of an account; how many.

        With them goes what it has allowed applications that have not fetched their token yet.
        """
        await transaction.query("DELETE FROM request_token WHERE account_id = %s", [account_id])
        return await self._remove(transaction, "account_id", account_id)

    async def remove_of_device(self, transaction: Transaction, device_id: UUID) -> int:
        """Remove all tokens of a device; how many."""
        return await self._remove(transaction, "device_id", device_id)

    async def _remove(self, transaction: Transaction, column: str, identity: UUID) -> int:
        rows = await transaction.query(
            f"DELETE FROM token WHERE {column} = %s RETURNING 1", [identity]
        )
        return len(rows)
