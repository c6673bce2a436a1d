"""What the audit says of accounts: made, changed, linked to Keystone, removed by the operator.

Written in the transactions of :mod:`.accounts` and :mod:`.removal`.  Never a
password or a hash of one.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from stacksync.db.database import Transaction
from stacksync.engine.audit import Audit
from stacksync.model import Account, AuditEvent, AuditKind, SignIn

TOLD = ("name", "quota_limit")
"""What of an account is told to have changed, besides its e-mail."""


class AccountAudit:
    """Writes down what the operator does about accounts."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def created(self, transaction: Transaction, account: Account) -> None:
        await self._record(
            transaction,
            AuditKind.ACCOUNT_CREATED,
            account.id,
            name=account.name,
            quota_limit=account.quota_limit,
            **keystone_user(account),
        )

    async def changed(self, transaction: Transaction, before: Account, after: Account) -> None:
        """Some of an account is not what it was; nothing is written if all of it is."""
        detail: dict[str, Any] = {
            name: getattr(after, name)
            for name in TOLD
            if getattr(after, name) != getattr(before, name)
        }
        if after.email != before.email:
            detail["email_before"] = before.email
        if detail:
            await self._record(transaction, AuditKind.ACCOUNT_CHANGED, after.id, **detail)

    async def linked(self, transaction: Transaction, account: Account) -> None:
        """It has got its user in the identity service."""
        await self._record(
            transaction, AuditKind.ACCOUNT_CHANGED, account.id, **keystone_user(account)
        )

    async def removed(self, transaction: Transaction, account_id: UUID, *, keep_data: bool) -> None:
        """It goes; its e-mail can still be read."""
        await self._record(transaction, AuditKind.ACCOUNT_REMOVED, account_id, keep_data=keep_data)

    async def _record(
        self, transaction: Transaction, kind: AuditKind, account_id: UUID, **detail: Any
    ) -> None:
        event = AuditEvent(kind, account_id, sign_in=SignIn.OPERATOR, detail=detail)
        await self._audit.record_in(transaction, event)


def keystone_user(account: Account) -> dict[str, Any]:
    return {} if account.identity_id is None else {"keystone_user": account.identity_id}
