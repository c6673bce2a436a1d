"""Statements about accounts.  Whether an address or a quota makes sense is the engine's."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg2.errors

from stacksync.db.connection import Row
from stacksync.db.database import Database
from stacksync.errors import EmailTaken
from stacksync.model import Account

COLUMNS = "id, email, name, quota_limit, quota_used, created_at"


def account(row: Row) -> Account:
    """An account from the columns :data:`COLUMNS`."""
    return Account(*row)


class AccountTable:
    """The ``account`` table, and the workspace that every account begins with."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(
        self,
        email: str,
        name: str,
        quota_limit: int,
        password_hash: str | None,
        workspace_name: str,
    ) -> Account:
        """Add an account with its first workspace and its membership of it.

        :raises EmailTaken: another account has this e-mail.
        """
        workspace_id = uuid4()
        try:
            rows = await self._database.query(
                "add account",
                f"""
                WITH added AS (
                    INSERT INTO account (email, name, quota_limit, password_hash)
                    VALUES (%s, %s, %s, %s) RETURNING {COLUMNS}),
                first AS (
                    INSERT INTO workspace (id, owner_id, container)
                    SELECT %s, id, %s FROM added),
                member AS (
                    INSERT INTO membership (account_id, workspace_id, role, mount_name)
                    SELECT id, %s, 'owner', %s FROM added)
                SELECT {COLUMNS} FROM added
                """,
                [
                    *(email, name, quota_limit, password_hash),
                    *(workspace_id, str(workspace_id), workspace_id, workspace_name),
                ],
            )
        except psycopg2.errors.UniqueViolation:
            raise EmailTaken(email) from None
        return account(rows[0])

    async def by_id(self, account_id: UUID) -> Account | None:
        rows = await self._database.query(
            "read account",
            f"SELECT {COLUMNS} FROM account WHERE id = %s",
            [account_id],
            repeatable=True,
        )
        return account(rows[0]) if rows else None

    async def by_email(self, email: str) -> Account | None:
        rows = await self._database.query(
            "find account",
            f"SELECT {COLUMNS} FROM account WHERE lower(email) = lower(%s)",
            [email],
            repeatable=True,
        )
        return account(rows[0]) if rows else None

    async def password_hash(self, email: str) -> tuple[UUID, str | None] | None:
        """The account of this e-mail with its password hash, if there is one."""
        rows = await self._database.query(
            "read password hash",
            "SELECT id, password_hash FROM account WHERE lower(email) = lower(%s)",
            [email],
            repeatable=True,
        )
        return (rows[0][0], rows[0][1]) if rows else None

    async def all(self) -> tuple[Account, ...]:
        rows = await self._database.query(
            "list accounts",
            f"SELECT {COLUMNS} FROM account ORDER BY lower(email)",
            repeatable=True,
        )
        return tuple(map(account, rows))

    async def update(
        self,
        account_id: UUID,
        email: str | None,
        name: str | None,
        quota_limit: int | None,
        password_hash: str | None,
    ) -> Account | None:
        """Set what is not ``None``.

        :raises EmailTaken: another account has this e-mail.
        """
        try:
            rows = await self._database.query(
                "update account",
                f"""
                UPDATE account SET
                    email = coalesce(%s, email), name = coalesce(%s, name),
                    quota_limit = coalesce(%s, quota_limit),
                    password_hash = coalesce(%s, password_hash)
                WHERE id = %s RETURNING {COLUMNS}
                """,
                [email, name, quota_limit, password_hash, account_id],
                repeatable=True,
            )
        except psycopg2.errors.UniqueViolation:
            raise EmailTaken(email or "") from None
        return account(rows[0]) if rows else None
