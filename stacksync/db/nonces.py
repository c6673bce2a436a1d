"""Statements about signed requests: whose secrets they are signed with, and that each counts once.

A nonce is inserted for requests whose signature was right, and no others: what
strangers send leaves nothing behind (RFC 5849, section 3.3).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from stacksync.db.database import Database
from stacksync.db.tokens import USED_AT_STEP
from stacksync.model import Scope


@frozen
class SignerRow:
    """What a signature is made with, as far as it is known.

    :ivar consumer_secret: ``None``: there is no such application.
    :ivar token_secret: ``None``: that application has no such token.
    """

    consumer_secret: str | None = field(default=None, repr=False)
    token_secret: str | None = field(default=None, repr=False)
    token_id: UUID | None = None
    account_id: UUID | None = None
    scope: Scope = Scope.READ_ONLY
    expires_at: datetime | None = None


@frozen
class Nonce:
    """What a signed request is told apart by from every other one.

    :ivar token_key: ``""``: it has none.
    :ivar signed_at: the timestamp, in seconds since 1970.
    """

    consumer_key: str
    token_key: str
    signed_at: int
    nonce: str


class NonceTable:
    """The ``oauth_nonce`` table, and the secrets of those who sign."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def signer(self, consumer_key: str, token_key: str) -> SignerRow:
        """With what an application signs that acts for somebody."""
        rows = await self._database.query(
            "look up access token",
            """
            SELECT c.secret, t.oauth_secret, t.id, t.account_id, t.scope, t.expires_at
            FROM consumer c
            LEFT JOIN token t ON t.oauth_key = %s AND t.consumer_key = c.key
                AND (t.expires_at IS NULL OR t.expires_at > now())
            WHERE c.key = %s
            """,
            [token_key, consumer_key],
            repeatable=True,
        )
        if not rows:
            return SignerRow()
        secret, token_secret, token_id, account_id, scope, expires_at = rows[0]
        return SignerRow(
            consumer_secret=secret,
            token_secret=token_secret,
            token_id=token_id,
            account_id=account_id,
            scope=Scope(scope) if scope is not None else Scope.READ_ONLY,
            expires_at=expires_at,
        )

    async def asker(self, consumer_key: str, request_key: str) -> SignerRow:
        """With what an application signs that still asks somebody, or is about to."""
        rows = await self._database.query(
            "look up request token",
            """
            SELECT c.secret, r.secret
            FROM consumer c
            LEFT JOIN request_token r ON r.key = %s AND r.consumer_key = c.key
                AND r.expires_at > now()
            WHERE c.key = %s
            """,
            [request_key, consumer_key],
            repeatable=True,
        )
        return SignerRow(*rows[0]) if rows else SignerRow()

    async def insert(self, nonce: Nonce) -> bool:
        """Take a nonce; whether nobody had."""
        rows = await self._database.query(
            "take nonce",
            """
            INSERT INTO oauth_nonce (consumer_key, token_key, signed_at, nonce)
            VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING 1
            """,
            [nonce.consumer_key, nonce.token_key, nonce.signed_at, nonce.nonce],
        )
        return bool(rows)

    async def use(self, nonce: Nonce, token_id: UUID) -> tuple[bool, bool]:
        """Take the nonce of a request that a token is used for.

        :returns: whether the token holds still, and whether nobody had taken the nonce.
        """
        rows = await self._database.query(
            "use access token",
            """
            WITH held AS (
                SELECT t.id, t.used_at FROM token t JOIN consumer c ON c.key = t.consumer_key
                WHERE t.id = %(token)s AND c.revoked_at IS NULL
                    AND (t.expires_at IS NULL OR t.expires_at > now())),
            taken AS (
                INSERT INTO oauth_nonce (consumer_key, token_key, signed_at, nonce)
                SELECT %(consumer)s, %(key)s, %(signed)s, %(nonce)s FROM held
                ON CONFLICT DO NOTHING RETURNING 1),
            noted AS (
                UPDATE token SET used_at = now() FROM held
                WHERE token.id = held.id AND EXISTS (SELECT FROM taken)
                    AND (held.used_at IS NULL OR held.used_at < now() - %(step)s))
            SELECT EXISTS (SELECT FROM held), EXISTS (SELECT FROM taken)
            """,
            {
                "token": token_id,
                "consumer": nonce.consumer_key,
                "key": nonce.token_key,
                "signed": nonce.signed_at,
                "nonce": nonce.nonce,
                "step": USED_AT_STEP,
            },
        )
        return bool(rows[0][0]), bool(rows[0][1])

    async def prune(self, before: int) -> int:
        """Remove those of requests that were signed before this; how many.

        :param before: in seconds since 1970.
        """
        rows = await self._database.query(
            "prune nonces",
            """
            WITH pruned AS (DELETE FROM oauth_nonce WHERE signed_at < %s RETURNING 1)
            SELECT count(*) FROM pruned
            """,
            [before],
            repeatable=True,
        )
        return int(rows[0][0])
