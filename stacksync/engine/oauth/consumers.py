"""Consumers: the applications that the operator lets ask people for access (OAuth 1.0a)."""

from __future__ import annotations

import secrets
import string

from stacksync.db.consumers import ConsumerTable
from stacksync.db.database import Database, Transaction
from stacksync.engine import validation
from stacksync.engine.audit import Audit
from stacksync.engine.oauth.callbacks import check_registered
from stacksync.engine.sign_in.sign_ins import SignIns
from stacksync.errors import ConsumerNotFound, InvalidRequest
from stacksync.model import AuditEvent, AuditKind, Consumer, SignIn

NAME_CHARACTERS = 80
KEY_CHARACTERS = 20
SECRET_CHARACTERS = 43
"""256 bits, as letters and digits have nearly 6 each."""

ALPHABET = string.ascii_letters + string.digits
"""What may stand in a key or secret: nothing that needs percent-encoding anywhere."""


def random_text(characters: int) -> str:
    """Text that nobody can guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(characters))


class Consumers:
    """Operations of the operator's on consumers."""

    def __init__(
        self, database: Database, table: ConsumerTable, sign_ins: SignIns, audit: Audit
    ) -> None:
        self._database = database
        self._table = table
        self._sign_ins = sign_ins
        self._audit = audit

    async def add(self, name: str, callback: str | None) -> Consumer:
        """Let an application ask people for access.

        :param name: what people are told who asks.
        :param callback: where it may send them back to; ``None``: they type the verifier.
        :raises InvalidRequest: nothing can be called so, or nobody be sent there.
        """
        validation.check_text("name", name, NAME_CHARACTERS)
        if not name.strip() or not name.isprintable():
            raise InvalidRequest("name", "must be something that people can read")
        if callback is not None:
            check_registered(callback)

        async def work(transaction: Transaction) -> Consumer:
            key, secret = random_text(KEY_CHARACTERS), random_text(SECRET_CHARACTERS)
            added = await self._table.insert(transaction, key, secret, name.strip(), callback)
            await self._note(transaction, AuditKind.CONSUMER_ADDED, added)
            return added

        return await self._database.transaction("add consumer", work)

    async def list(self) -> tuple[Consumer, ...]:
        """All, oldest first, with those that were revoked."""
        return await self._table.all()

    async def revoke(self, key: str) -> Consumer:
        """Let an application do nothing any more, whoever has allowed it what.

        :raises ConsumerNotFound: no such consumer.
        """

        async def work(transaction: Transaction) -> Consumer | None:
            revoked = await self._table.revoke(transaction, key)
            if revoked is None:
                return None
            for account_id in await self._table.remove_tokens(transaction, key):
                await self._sign_ins.changed(transaction, account_id)
            await self._note(transaction, AuditKind.CONSUMER_REVOKED, revoked)
            return revoked

        revoked = None
        if validation.text_problem(key) is None:
            revoked = await self._database.transaction("revoke consumer", work)
        if revoked is None:
            raise ConsumerNotFound(key)
        return revoked

    async def _note(self, transaction: Transaction, kind: AuditKind, about: Consumer) -> None:
        detail = {"application": about.name, "consumer": about.key}
        event = AuditEvent(kind, sign_in=SignIn.OPERATOR, detail=detail)
        await self._audit.record_in(transaction, event)
