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

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from stacksync.engine.accounts import Accounts
from stacksync.errors import NotAuthenticated
from stacksync.model import ClientExchange, ExchangePurpose, Principal, SignIn
from stacksync.protocols.amqp.wire.frames import Delivery
from stacksync.protocols.fields import Fields, identity, parse_uuid, required, text

REMEMBERED_LOGINS = 10_000
REMEMBERED_FOR = 60.0


@define(eq=False)
class Lookup:
    """One look-up under way, and who waits for what comes of it.

    :ivar forgotten: accounts whose e-mail may have become another's meanwhile.
    """

    waiters: list[Deferred[UUID]] = field(factory=list)
    forgotten: set[UUID] = field(factory=set)


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
        self._looking: dict[str, Lookup] = {}

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
        """Remember no login of an account, for its e-mail may be another's by now.

        A login that is being looked up is looked up once more.
        """
        for email, (_, known) in list(self._logins.items()):
            if known == account_id:
                del self._logins[email]
        for looking in self._looking.values():
            looking.forgotten.add(account_id)

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
            looking.waiters.append(found)
        else:
            # Who asks meanwhile waits for the same answer: requests keep their order.
            looking = self._looking[email] = Lookup([found])
            Deferred.fromCoroutine(self._look_up(email, looking))
        return await found

    async def _look_up(self, email: str, looking: Lookup) -> None:
        answer: UUID | Failure
        try:
            answer = await self._looked_up(email, looking)
        except Exception:
            answer = Failure()
        else:
            self._remember(email, answer)
        del self._looking[email]
        for found in looking.waiters:
            found.callback(answer)

    async def _looked_up(self, email: str, looking: Lookup) -> UUID:
        while True:
            looking.forgotten.clear()
            account_id = (await self._accounts.by_email(email)).id
            # What was read before it was another's would else be remembered after that.
            if account_id not in looking.forgotten:
                return account_id

    def _remember(self, email: str, account_id: UUID) -> None:
        self._logins[email] = (self._clock.seconds() + REMEMBERED_FOR, account_id)
        self._logins.move_to_end(email)
        if len(self._logins) > REMEMBERED_LOGINS:
            self._logins.popitem(last=False)
