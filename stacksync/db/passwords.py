"""Statements about what passwords are checked against."""

from __future__ import annotations

from uuid import UUID

from attrs import field, frozen

from stacksync.db.database import Database, Transaction


@frozen
class Credentials:
    """What a sign-in is checked against; no hash means that no password fits.

    :ivar identity_id: the user in the identity service, if it has one there.
    :ivar password_id: a new one with each password.
    """

    account_id: UUID
    password_hash: str | None = field(repr=False)
    identity_id: str | None = None
    password_id: UUID | None = None


class PasswordTable:
    """The columns of ``account`` that are about its password."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_email(self, email: str) -> Credentials | None:
        """What to check a password against that comes with this e-mail."""
        rows = await self._database.query(
            "read password hash",
            "SELECT id, password_hash, identity_id, password_id"
            " FROM account WHERE lower(email) = lower(%s)",
            [email],
            repeatable=True,
        )
        return Credentials(*rows[0]) if rows else None

    async def change(
        self,
        transaction: Transaction,
        account_id: UUID,
        password_id: UUID,
        password_hash: str | None,
    ) -> None:
        """Keep another password.

        :param password_hash: ``None``: the identity service keeps the password, and the hash
            that may be here stays.
        """
        await transaction.query(
            "UPDATE account SET password_id = %s, password_hash = coalesce(%s, password_hash)"
            " WHERE id = %s",
            [password_id, password_hash, account_id],
        )

    async def renew(self, account_id: UUID, old_hash: str, new_hash: str) -> bool:
        """Keep another hash of the same password, unless it has been changed meanwhile.

        :returns: whether it is kept.
        """
        rows = await self._database.query(
            "renew password hash",
            "UPDATE account SET password_hash = %s WHERE id = %s AND password_hash = %s"
            " RETURNING id",
            [new_hash, account_id, old_hash],
            repeatable=True,
        )
        return bool(rows)
