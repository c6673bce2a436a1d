"""Statements about what sign-ins hang on: tokens, passwords, devices that were not revoked.

Each way to sign in has a table of its own; here is whether it still holds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from stacksync.db.database import Database, Transaction
from stacksync.model import Principal


class SignInTable:
    """What all ways of signing in have in common."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lock(self, transaction: Transaction, account_id: UUID) -> UUID | None:
        """Keep others from giving out or ending sign-ins of an account.

        A statement of its own: those after it see what others have done before.

        :returns: what its password was given when it was set; ``None``: there is no account.
        """
        rows = await transaction.query(
            "SELECT password_id FROM account WHERE id = %s FOR NO KEY UPDATE", [account_id]
        )
        return rows[0][0] if rows else None

    async def changed(
        self, transaction: Transaction, account_id: UUID, disconnects: bool, again_after: float
    ) -> None:
        """Note and tell everybody, once this is committed, that some of an account hold no more.

        :param disconnects: its connections to the broker are to be closed, and once more
            ``again_after`` seconds later if that is more than 0.
        """
        await transaction.query(
            "SELECT sign_ins_changed(%s, %s, %s)",
            [account_id, disconnects, timedelta(seconds=again_after)],
        )

    async def close_connections(
        self, transaction: Transaction, account_id: UUID, email: str, again_after: float
    ) -> None:
        """Leave a job that closes connections to the broker, also those made by this e-mail.

        :param again_after: see :meth:`changed`.
        """
        await transaction.query(
            "SELECT connections_closed(%s, %s, %s)",
            [account_id, email, timedelta(seconds=again_after)],
        )

    async def holds(self, principal: Principal) -> bool:
        """Whether what the principal has signed in by is still right."""
        rows = await self._database.query(
            "look at sign-in",
            """
            SELECT (%(grant)s::uuid IS NULL OR a.password_id = %(grant)s OR EXISTS (
                        SELECT FROM token t WHERE t.id = %(grant)s AND t.account_id = a.id
                            AND (t.expires_at IS NULL OR t.expires_at > now())))
                    AND NOT EXISTS (
                        SELECT FROM device d
                            WHERE d.id = %(device)s AND d.revoked_at IS NOT NULL)
                FROM account a WHERE a.id = %(account)s
            """,
            {
                "account": principal.account_id,
                "grant": principal.grant_id,
                "device": principal.device_id,
            },
            repeatable=True,
        )
        return bool(rows) and bool(rows[0][0])

    async def changed_since(self, seconds: float) -> tuple[tuple[UUID, datetime], ...]:
        """The accounts some of whose sign-ins have ceased to hold lately, and when."""
        rows = await self._database.query(
            "list changed sign-ins",
            """
            SELECT id, sign_ins_changed_at FROM account
                WHERE sign_ins_changed_at > now() - %s
            """,
            [timedelta(seconds=seconds)],
            repeatable=True,
        )
        return tuple((row[0], row[1]) for row in rows)

    async def end_expired(self, disconnects: bool, again_after: float) -> int:
        """Remove the tokens whose time is over, and tell; how many those were."""
        rows = await self._database.query(
            "remove expired tokens",
            """
            WITH ended AS (
                DELETE FROM token WHERE expires_at <= now() RETURNING account_id)
            SELECT count(sign_ins_changed(a.account_id, %s, %s)), coalesce(sum(a.count), 0)
                FROM (SELECT account_id, count(*) AS count FROM ended
                    GROUP BY account_id ORDER BY account_id) a
            """,
            [disconnects, timedelta(seconds=again_after)],
            repeatable=True,
        )
        return int(rows[0][1])
