"""On whose behalf a request runs.

With ``broker``, the account is the one that the broker-checked ``user_id``
names, and a ``userId`` in the message that differs is refused.  Where the broker
asks us whom it may let do what, an exchange of an account's own names it as
well, ``rpc#<accountId>``: for clients that set no ``user_id``.  With ``message``,
the message is trusted: for a broker that only trusted parties reach
(contracts/objectmq.md, *Request*).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any
from uuid import UUID

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from stacksync.engine.accounts import Accounts
from stacksync.errors import NotAuthenticated
from stacksync.model import ClientExchange, ExchangePurpose, Principal, SignIn
from stacksync.protocols.amqp.wire.frames import Delivery
from stacksync.protocols.fields import Fields, identity, parse_uuid, required, text

REMEMBERED_LOGINS = 10_000
REMEMBERED_FOR = 60.0


class MessageIdentity:
    """Trusts the ``userId`` of the message."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def principal(self, delivery: Delivery, fields: Fields) -> Principal:
        """:raises InvalidRequest: the message names nobody.
        :raises AccountNotFound: it names nobody we know, by e-mail.
        """
        account_id = identity(fields, "userId")
        email = text(fields, "email") if account_id is None else None
        if email is not None:
            account_id = (await self._accounts.by_email(email)).id
        return Principal(required(account_id, "userId"), SignIn.MESSAGE)


class BrokerIdentity:
    """Trusts the ``user_id`` that the broker has compared with the login.

    A login is an account's id, or its e-mail.

    :param is_asked: the broker lets only an account itself publish to its ``rpc#`` exchange.
        Where nobody sees to that, who publishes there is as unknown as elsewhere.
    """

    def __init__(self, clock: Any, accounts: Accounts, *, is_asked: bool = False) -> None:
        self._clock = clock
        self._accounts = accounts
        self._is_asked = is_asked
        self._logins: OrderedDict[str, tuple[float, UUID]] = OrderedDict()
        self._looking: dict[str, list[Deferred[UUID]]] = {}

    async def principal(self, delivery: Delivery, fields: Fields) -> Principal:
        """:raises NotAuthenticated: nothing tells who sent it, or the message names somebody else.
        :raises AccountNotFound: the login is nobody's.
        """
        login = delivery.properties.get("user_id")
        account_id = self._by_exchange(delivery.exchange)
        if login is not None:
            by_login = parse_uuid(login) or await self._account_of(login)
            if account_id is not None and account_id != by_login:
                raise NotAuthenticated(
                    "user_id is not the account that the exchange of the message belongs to"
                )
            account_id = by_login
        if account_id is None:
            raise NotAuthenticated("the message has no user_id property to tell who sent it")
        claimed = identity(fields, "userId")
        if claimed is not None and claimed != account_id:
            raise NotAuthenticated("userId is not the account that sent the message")
        return Principal(account_id, SignIn.BROKER)

    def forget(self, account_id: UUID) -> None:
        """Remember no login of an account, for its e-mail may be another's by now."""
        for email, (_, known) in list(self._logins.items()):
            if known == account_id:
                del self._logins[email]

    def _by_exchange(self, name: str) -> UUID | None:
        exchange = ClientExchange.parse(name) if self._is_asked else None
        if exchange is None or exchange.purpose is not ExchangePurpose.REQUESTS:
            return None
        return exchange.owner

    async def _account_of(self, email: str) -> UUID:
        remembered = self._logins.get(email)
        if remembered is not None and remembered[0] > self._clock.seconds():
            return remembered[1]
        found: Deferred[UUID] = Deferred()
        looking = self._looking.get(email)
        if looking is not None:
            looking.append(found)
        else:
            # Who asks meanwhile waits for the same answer: requests keep their order.
            self._looking[email] = [found]
            Deferred.fromCoroutine(self._look_up(email))
        return await found

    async def _look_up(self, email: str) -> None:
        answer: UUID | Failure
        try:
            answer = (await self._accounts.by_email(email)).id
        except Exception:
            answer = Failure()
        else:
            self._remember(email, answer)
        for found in self._looking.pop(email):
            found.callback(answer)

    def _remember(self, email: str, account_id: UUID) -> None:
        self._logins[email] = (self._clock.seconds() + REMEMBERED_FOR, account_id)
        self._logins.move_to_end(email)
        if len(self._logins) > REMEMBERED_LOGINS:
            self._logins.popitem(last=False)
