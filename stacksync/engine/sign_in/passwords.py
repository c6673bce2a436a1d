"""The passwords of accounts, as hashes: what a sign-in is checked against, and changing it.

What makes a password a good one, and how it is hashed, is not known here.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from stacksync.db.database import Database, Transaction
from stacksync.db.passwords import Credentials, PasswordTable
from stacksync.db.tokens import TokenTable
from stacksync.engine.access import check_scope
from stacksync.engine.accounts import can_be_kept
from stacksync.engine.audit import Audit
from stacksync.engine.sign_in.sign_ins import SignIns
from stacksync.errors import Forbidden
from stacksync.model import AuditKind, Principal, SignIn

__all__ = ["Credentials", "Passwords"]


class Passwords:
    """Operations on the passwords of accounts.

    ``credentials`` and ``renew`` are for signing in alone.
    """

    def __init__(
        self,
        database: Database,
        table: PasswordTable,
        tokens: TokenTable,
        sign_ins: SignIns,
        audit: Audit,
    ) -> None:
        self._database = database
        self._table = table
        self._tokens = tokens
        self._sign_ins = sign_ins
        self._audit = audit

    async def credentials(self, email: str) -> Credentials | None:
        """What to check a password against, or ``None`` for an unknown e-mail."""
        return await self._table.of_email(email) if can_be_kept(email) else None

    async def change(self, principal: Principal, password_hash: str | None) -> int:
        """Give the principal's account another password.

        Everything that was given out by the one before ends: tokens of devices and of
        applications, what is remembered of sign-ins, event streams, connections to the broker.

        :param password_hash: ``None``: it is the identity service that keeps the password.
        :returns: how many tokens were revoked.
        :raises Forbidden: the principal holds only a part of the account's rights.
        :raises AccountNotFound: the account is gone.
        :raises NotAuthenticated: somebody else has just changed it.
        """
        check_may_change(principal)
        account_id, password_id = principal.account_id, uuid4()

        async def work(transaction: Transaction) -> int:
            await self._sign_ins.lock(transaction, principal, renewed=password_id)
            await self._table.change(transaction, account_id, password_id, password_hash)
            revoked = await self._tokens.remove_all(transaction, account_id)
            await self._sign_ins.changed(transaction, account_id)
            await self._audit.record_done(
                transaction, AuditKind.PASSWORD_CHANGED, principal, revoked=revoked
            )
            return revoked

        return await self._database.transaction("change password", work, repeatable=True)

    async def renew(self, account_id: UUID, old_hash: str, new_hash: str) -> bool:
        """Keep another hash of the same password; nothing that hangs on it ends.

        :returns: whether it is kept: not if the password has been changed meanwhile.
        """
        return await self._table.renew(account_id, old_hash, new_hash)


def check_may_change(principal: Principal) -> None:
    """Who finds somebody's token, Keystone's included, is not to take the account over with it.

    :raises Forbidden: the principal did not sign in with the password itself.
    """
    check_scope(principal)
    if principal.sign_in not in (SignIn.PASSWORD, SignIn.OPERATOR):
        raise Forbidden("changing the password needs the password: a token is not enough")
