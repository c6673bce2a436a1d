"""Statements about accounts.  Whether an address or a quota makes sense is the engine's."""

from __future__ import annotations

from uuid import UUID, uuid4

import orjson
import psycopg2.errors

from stacksync.db.connection import Arguments, Row
from stacksync.db.database import Database, Transaction
from stacksync.errors import Conflict, EmailTaken
from stacksync.model import Account

COLUMNS = "id, email, name, quota_limit, quota_used, created_at, identity_id"

ADD_CONTAINER_JOB = """
    job_added('container', 'container:' || w.container,
        jsonb_build_object('workspace_id', w.id, 'container', w.container), NULL, NULL)
"""
"""That the container of ``workspace w`` is brought in line with the database."""

IDENTITY_KEY = "account_identity_id_key"


def container_job(workspace_id: UUID) -> tuple[str, str]:
    """Queue and arguments of the job that makes the container of a new workspace."""
    told = {"workspace_id": str(workspace_id), "container": str(workspace_id)}
    return f"container:{workspace_id}", orjson.dumps(told).decode()


def identity_taken(identity_id: str | None) -> Conflict:
    return Conflict(f"another account has the user {identity_id} of the identity service")


def account(row: Row) -> Account:
    """An account from the columns :data:`COLUMNS`."""
    return Account(*row)


class AccountTable:
    """The ``account`` table, and the workspace that every account begins with.

    What changes something is a transaction of its own, or part of the one ``within`` which it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(
        self,
        email: str,
        name: str,
        quota_limit: int,
        password_hash: str | None,
        workspace_name: str,
        identity_id: str | None = None,
        identity_is_ours: bool = False,
        *,
        within: Transaction | None = None,
    ) -> Account:
        """Add an account with its first workspace, and a job for that one's container.

        :raises EmailTaken: another account has this e-mail.
        :raises Conflict: another account has this user in the identity service.
        """
        workspace_id = uuid4()
        try:
            rows = await self._changed(
                within,
                "add account",
                f"""
                WITH added AS (
                    INSERT INTO account
                        (email, name, quota_limit, password_hash, identity_id, identity_is_ours)
                    VALUES (%s, %s, %s, %s, %s, %s) RETURNING {COLUMNS}),
                first AS (
                    INSERT INTO workspace (id, owner_id, container)
                    SELECT %s, id, %s FROM added),
                member AS (
                    INSERT INTO membership (account_id, workspace_id, role, mount_name)
                    SELECT id, %s, 'owner', %s FROM added)
                SELECT {COLUMNS} FROM added, LATERAL job_added(
                    'container', %s, %s::jsonb, NULL, NULL)
                """,
                [
                    *(email, name, quota_limit, password_hash, identity_id, identity_is_ours),
                    *(workspace_id, str(workspace_id), workspace_id, workspace_name),
                    *container_job(workspace_id),
                ],
            )
        except psycopg2.errors.UniqueViolation as error:
            if error.diag.constraint_name == IDENTITY_KEY:
                raise identity_taken(identity_id) from None
            raise EmailTaken(email) from None
        return account(rows[0])

    async def by_identity(self, identity_id: str) -> Account | None:
        """The account of a user in the identity service."""
        rows = await self._database.query(
            "find account by identity",
            f"SELECT {COLUMNS} FROM account WHERE identity_id = %s",
            [identity_id],
            repeatable=True,
        )
        return account(rows[0]) if rows else None

    async def link(
        self,
        account_id: UUID,
        identity_id: str,
        identity_is_ours: bool,
        *,
        within: Transaction | None = None,
    ) -> Account | None:
        """Say which user of the identity service it is; leaves jobs for what that one may reach.

        :raises Conflict: another account has this user.
        """
        try:
            rows = await self._changed(
                within,
                "link account",
                f"""
                WITH updated AS (
                    UPDATE account SET identity_id = %s, identity_is_ours = %s
                    WHERE id = %s RETURNING {COLUMNS})
                SELECT {COLUMNS}, (
                    SELECT count({ADD_CONTAINER_JOB})
                    FROM workspace w JOIN membership m ON m.workspace_id = w.id
                    WHERE m.account_id = updated.id)
                FROM updated
                """,
                [identity_id, identity_is_ours, account_id],
            )
        except psycopg2.errors.UniqueViolation:
            raise identity_taken(identity_id) from None
        return account(rows[0][:-1]) if rows else None

    async def by_id(self, account_id: UUID) -> Account | None:
        rows = await self._database.query(
            "read account",
            f"SELECT {COLUMNS} FROM account WHERE id = %s",
            [account_id],
            repeatable=True,
        )
        return account(rows[0]) if rows else None

    async def locked(self, transaction: Transaction, account_id: UUID) -> Account | None:
        """An account that nobody else changes meanwhile."""
        rows = await transaction.query(
            f"SELECT {COLUMNS} FROM account WHERE id = %s FOR NO KEY UPDATE", [account_id]
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

    async def private_workspaces(self, account_id: UUID) -> tuple[UUID, ...]:
        """The workspaces that an account owns and does not share, the default one first."""
        rows = await self._database.query(
            "list private workspaces",
            "SELECT id FROM workspace WHERE owner_id = %s AND NOT is_shared"
            " ORDER BY created_at, id",
            [account_id],
            repeatable=True,
        )
        return tuple(row[0] for row in rows)

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
        *,
        within: Transaction | None = None,
    ) -> Account | None:
        """Set what is not ``None``; a new quota leaves jobs that mirror it to the containers.

        :raises EmailTaken: another account has this e-mail.
        """
        try:
            rows = await self._changed(
                within,
                "update account",
                f"""
                WITH updated AS (
                    UPDATE account SET
                        email = coalesce(%s, email), name = coalesce(%s, name),
                        quota_limit = coalesce(%s, quota_limit)
                    WHERE id = %s RETURNING {COLUMNS})
                SELECT {COLUMNS}, (
                    SELECT count({ADD_CONTAINER_JOB})
                    FROM workspace w WHERE w.owner_id = updated.id AND %s)
                FROM updated
                """,
                [email, name, quota_limit, account_id, quota_limit is not None],
            )
        except psycopg2.errors.UniqueViolation:
            raise EmailTaken(email or "") from None
        return account(rows[0][:-1]) if rows else None

    async def _changed(
        self, within: Transaction | None, label: str, sql: str, arguments: Arguments
    ) -> list[Row]:
        if within is not None:
            return await within.query(sql, arguments)
        return await self._database.query(label, sql, arguments)
