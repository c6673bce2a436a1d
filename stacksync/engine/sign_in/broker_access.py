"""What an account may do at the broker, when that asks us: the only place that decides it.

A login is an account's id in its canonical form, or its e-mail exactly as it
is stored.  An account may send requests, hear what concerns it, and have
queues of its own (docs/amqp.rst); whatever is not named here it may not.
"""

from __future__ import annotations

import re
from typing import Protocol
from uuid import UUID

from attrs import frozen

from stacksync.db.broker_access import BrokerAccessTable, Standing
from stacksync.engine.accounts import can_be_kept
from stacksync.model import (
    BrokerPermission,
    BrokerResource,
    ClientExchange,
    ExchangePurpose,
)

SERVER_NAMED = "amq.gen-"
"""How the names begin that RabbitMQ makes up; it lets nobody else give such a name."""

MOST_IDS = 4
"""How many ids the name of a queue may have in it."""

NAME_BYTES = 255

# The assertion finds ids that overlap one another as well.
_ID = re.compile(
    "(?=([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}))", re.IGNORECASE
)


class ServiceNames(Protocol):
    """What the service itself has at the broker; ``stacksync.config`` knows the names."""

    @property
    def request_exchange(self) -> str: ...
    @property
    def request_queue(self) -> str: ...
    @property
    def dead_letter_queue(self) -> str: ...


@frozen
class BrokerQuestion:
    """Whether a login may do something with an exchange or queue of this name."""

    login: str
    resource: BrokerResource
    name: str
    permission: BrokerPermission


@frozen
class Grant:
    """That it may.

    :ivar exchange: what has to be there before, as we would declare it; ``None``: nothing.
    :ivar bound: a queue that is to hear something, for which it has to be exclusive: bindings
        of others would outlast the right to hear; ``None``: none is.
    """

    exchange: ClientExchange | None = None
    bound: str | None = None


class BrokerAccess:
    """Answers for accounts.

    Each question is one statement.  All raise :class:`~stacksync.errors.Unavailable`
    when the database is away.
    """

    def __init__(self, table: BrokerAccessTable) -> None:
        self._table = table

    async def account_of(self, login: str) -> UUID | None:
        """The account that a login belongs to; ``None``: to none (any more)."""
        standing = await self._standing(login)
        return standing.account_id if standing is not None else None

    async def is_known(self, login: str) -> bool:
        """Whether there is (still) an account of this login."""
        return await self.account_of(login) is not None

    async def grant(self, question: BrokerQuestion, service: ServiceNames) -> Grant | None:
        """What an account is granted; ``None``: nothing."""
        if not 0 < len(question.name.encode("utf-8", "replace")) <= NAME_BYTES:
            return None
        if question.resource is BrokerResource.QUEUE:
            if not await self._may_use_queue(question, service):
                return None
            binds = question.permission is BrokerPermission.WRITE
            return Grant(bound=question.name if binds else None)
        return await self._exchange_grant(question, service)

    async def _exchange_grant(
        self, question: BrokerQuestion, service: ServiceNames
    ) -> Grant | None:
        permission = question.permission
        if question.name == service.request_exchange:
            # Before its name is looked at: it may be called whatever the operator likes.
            writes = permission is BrokerPermission.WRITE
            return Grant() if writes and await self.is_known(question.login) else None
        exchange = ClientExchange.parse(question.name)
        if exchange is None:
            return None
        used = BrokerPermission.READ
        if exchange.purpose is ExchangePurpose.REQUESTS:
            used = BrokerPermission.WRITE
        if permission not in (used, BrokerPermission.CONFIGURE):
            return None
        standing = await self._standing(question.login, exchange.owner)
        return Grant(exchange) if standing is not None and takes_part(standing, exchange) else None

    async def _may_use_queue(self, question: BrokerQuestion, service: ServiceNames) -> bool:
        if question.name in (service.request_queue, service.dead_letter_queue):
            return False
        if question.name.startswith(SERVER_NAMED):
            return await self.is_known(question.login)
        ids = ids_in(question.name)
        if not 0 < len(ids) <= MOST_IDS:
            return False
        standing = await self._standing(question.login, *ids)
        return standing is not None and ids <= {standing.account_id, *standing.devices}

    async def _standing(self, login: str, *named: UUID) -> Standing | None:
        who = login_of(login)
        return await self._table.standing(who, named) if who is not None else None


def login_of(login: str) -> UUID | str | None:
    """The account id or e-mail that a login is; ``None`` if it can be neither."""
    if "@" in login:
        return login if can_be_kept(login) else None
    try:
        account_id = UUID(login)
    except ValueError:
        return None
    return account_id if str(account_id) == login else None


def takes_part(standing: Standing, exchange: ClientExchange) -> bool:
    """Whether an exchange is the account's own, or tells of a workspace of which it is a member."""
    if exchange.owner == standing.account_id:
        return True
    is_told = exchange.purpose is ExchangePurpose.NOTIFICATIONS
    return is_told and exchange.owner in standing.workspaces


def ids_in(name: str) -> set[UUID]:
    """All ids that can be read anywhere in a name."""
    return {UUID(found) for found in _ID.findall(name)}
