"""Statements about request tokens, the temporary credentials of RFC 5849, section 2.1.

One whose time is over is not there, whether or not its row has been pruned.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from attrs import field, frozen

from stacksync.db.connection import Row
from stacksync.db.database import Database, Transaction
from stacksync.model import Asked, RequestToken, Scope

COLUMNS = """
    r.key, r.consumer_key, r.callback, r.scope, r.account_id, r.is_denied, r.created_at,
    r.expires_at, r.secret
"""

LIVE = "r.expires_at > now() AND c.revoked_at IS NULL"


def request_token(row: Row) -> RequestToken:
    """A request token from the columns :data:`COLUMNS`."""
    key, consumer_key, callback, scope, *rest = row
    return RequestToken(key, consumer_key, callback, Scope(scope), *rest)


@frozen
class Redeemable:
    """A request token that may become an access token, locked.

    :ivar verifier_hash: SHA-256; ``None``: nobody has allowed anything.
    """

    token: RequestToken
    application: str
    verifier_hash: bytes | None = field(repr=False)


class RequestTokenTable:
    """The ``request_token`` table, up to what becomes of its rows in ``token``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(
        self, key: str, secret: str, consumer_key: str, callback: str, scope: Scope, expire: float
    ) -> bool:
        """Add one; whether the consumer may still ask.

        :param expire: seconds.
        """
        rows = await self._database.query(
            "add request token",
            """
            INSERT INTO request_token (key, secret, consumer_key, callback, scope, expires_at)
            SELECT %s, %s, c.key, %s, %s, now() + %s FROM consumer c
                WHERE c.key = %s AND c.revoked_at IS NULL
            RETURNING 1
            """,
            [key, secret, callback, scope.value, timedelta(seconds=expire), consumer_key],
        )
        return bool(rows)

    async def find(self, key: str) -> Asked | None:
        """What is asked by one, whether or not that was answered."""
        rows = await self._database.query(
            "read request token",
            f"""
            SELECT {COLUMNS}, c.name FROM request_token r JOIN consumer c ON c.key = r.consumer_key
            WHERE r.key = %s AND {LIVE}
            """,
            [key],
            repeatable=True,
        )
        return Asked(request_token(rows[0][:-1]), rows[0][-1]) if rows else None

    async def allow(
        self, transaction: Transaction, key: str, account_id: UUID, verifier_hash: bytes
    ) -> bool:
        """Note who has said yes; whether that was still to be said."""
        return await self._answer(
            transaction,
            "account_id = %(account)s, verifier_hash = %(hash)s",
            {"key": key, "account": account_id, "hash": verifier_hash},
        )

    async def deny(self, transaction: Transaction, key: str) -> bool:
        """Note that somebody has said no; whether that was still to be said."""
        return await self._answer(transaction, "is_denied = true", {"key": key})

    async def _answer(
        self, transaction: Transaction, answer: str, arguments: dict[str, object]
    ) -> bool:
        rows = await transaction.query(
            f"""
            UPDATE request_token r SET {answer} FROM consumer c
            WHERE r.key = %(key)s AND c.key = r.consumer_key AND {LIVE}
                AND r.account_id IS NULL AND NOT r.is_denied
            RETURNING 1
            """,
            arguments,
        )
        return bool(rows)

    async def locked(
        self, transaction: Transaction, consumer_key: str, key: str
    ) -> Redeemable | None:
        """One that nobody else redeems meanwhile, nor the account's owner takes back."""
        # The account first, like all who give out or end sign-ins: what ends all tokens of the
        # account would else not see the one that is about to be made.
        await transaction.query(
            """
            SELECT FROM account WHERE id = (
                SELECT account_id FROM request_token WHERE key = %s) FOR NO KEY UPDATE
            """,
            [key],
        )
        rows = await transaction.query(
            f"""
            SELECT {COLUMNS}, c.name, r.verifier_hash
            FROM request_token r JOIN consumer c ON c.key = r.consumer_key
            WHERE r.key = %s AND r.consumer_key = %s AND {LIVE} FOR UPDATE OF r
            """,
            [key, consumer_key],
        )
        if not rows:
            return None
        *columns, application, verifier_hash = rows[0]
        hashed = bytes(verifier_hash) if verifier_hash is not None else None
        return Redeemable(request_token(tuple(columns)), application, hashed)

    async def guessed_wrong(self, transaction: Transaction, key: str, guesses: int) -> None:
        """Count a wrong verifier; the last one that is allowed is the end of the token."""
        await transaction.query(
            "UPDATE request_token SET wrong_guesses = wrong_guesses + 1 WHERE key = %s", [key]
        )
        await transaction.query(
            "DELETE FROM request_token WHERE key = %s AND wrong_guesses >= %s", [key, guesses]
        )

    async def redeem(
        self,
        transaction: Transaction,
        redeemed: Redeemable,
        access_key: str,
        access_secret: str,
        expire: float | None,
    ) -> UUID:
        """Make an access token of it; the request token is gone.

        :param expire: seconds that the access token lasts; ``None``: until it is revoked.
        """
        token = redeemed.token
        await transaction.query("DELETE FROM request_token WHERE key = %s", [token.key])
        rows = await transaction.query(
            """
            INSERT INTO token
                (account_id, consumer_key, name, scope, oauth_key, oauth_secret, expires_at)
            VALUES (%s, %s, %s, %s, %s, %s, now() + %s) RETURNING id
            """,
            [
                *(token.account_id, token.consumer_key, redeemed.application, token.scope.value),
                *(access_key, access_secret),
                timedelta(seconds=expire) if expire is not None else None,
            ],
        )
        identity: UUID = rows[0][0]
        return identity

    async def allowed(self, transaction: Transaction, account_id: UUID) -> int:
        """How many an account has allowed that are no access tokens yet."""
        rows = await transaction.query(
            "SELECT count(*) FROM request_token WHERE account_id = %s AND expires_at > now()",
            [account_id],
        )
        return int(rows[0][0])

    async def prune(self) -> int:
        """Remove those whose time is over; how many."""
        rows = await self._database.query(
            "prune request tokens",
            """
            WITH pruned AS (DELETE FROM request_token WHERE expires_at <= now() RETURNING 1)
            SELECT count(*) FROM pruned
            """,
            repeatable=True,
        )
        return int(rows[0][0])
