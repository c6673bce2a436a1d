"""Answers go to queues of who asks, where the broker asks us whose queue is whose.

The broker lets nobody publish into queues but us, and we publish to whatever a
request names in ``reply_to``: without a look at that, anybody could have us
put something into somebody else's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from stacksync.engine.sign_in.broker_access import SERVER_NAMED, BrokerQuestion, Grant, ServiceNames
from stacksync.errors import Unavailable
from stacksync.model import BrokerPermission, BrokerResource, ClientExchange
from stacksync.protocols.amqp.wire.frames import Delivery

log = Logger()

DIRECT = "amq.rabbitmq.reply-to"
"""How the names begin that RabbitMQ makes up for a request (*direct reply-to*).

There is an Erlang process's address behind the prefix, which RabbitMQ reads back when somebody
publishes there.  Whoever sends a request can write one himself: what can't be read ends the
connection on which it is published, each time that the request is delivered again; what can be
read makes RabbitMQ connect to wherever it says.
"""

REMEMBERED = 10_000
REMEMBERED_FOR = 60.0
PAUSE = 0.5

Key = tuple[str, str]


class Access(Protocol):
    """Knows whose queue is whose.

    :class:`stacksync.engine.sign_in.broker_access.BrokerAccess` does.
    """

    async def grant(self, question: BrokerQuestion, service: ServiceNames) -> Grant | None: ...


class ReplyQueues:
    """Takes from requests the names of queues that are not their senders'."""

    def __init__(self, reactor: Any, access: Access, names: ServiceNames) -> None:
        self._reactor = reactor
        self._access = access
        self._names = names
        self._known: OrderedDict[Key, tuple[float, bool]] = OrderedDict()
        self._looking: dict[Key, list[Deferred[bool]]] = {}

    async def keep_own(self, delivery: Delivery, failed: Callable[[], str | None]) -> None:
        """Leave ``reply_to`` as it is if the sender may read there; else remove it.

        Waits while the database is away, as requests do.

        :param failed: tells why the connection is gone, or ``None``.
        :raises Unavailable: it is gone: the request comes again.
        """
        queue = delivery.properties.get("reply_to")
        if not queue or queue.startswith(SERVER_NAMED):
            return
        key = (login_of_sender(delivery), queue)
        while True:
            try:
                is_own = await self._is_own(key)
                break
            except Unavailable:
                if failed() is not None:
                    raise
                await deferLater(self._reactor, PAUSE)
        if not is_own:
            log.info(
                "a request of {sender} names a queue in reply_to that is not its own: {queue}",
                sender=key[0],
                queue=queue,
            )
            del delivery.properties["reply_to"]

    async def _is_own(self, key: Key) -> bool:
        known = self._known.get(key)
        if known is not None and known[0] > self._reactor.seconds():
            return known[1]
        found: Deferred[bool] = Deferred()
        looking = self._looking.get(key)
        if looking is not None:
            # Who asks meanwhile waits for the same answer: requests keep their order.
            looking.append(found)
        else:
            self._looking[key] = [found]
            Deferred.fromCoroutine(self._look(key))
        return await found

    async def _look(self, key: Key) -> None:
        login, queue = key
        question = BrokerQuestion(login, BrokerResource.QUEUE, queue, BrokerPermission.READ)
        answer: bool | Failure
        try:
            answer = await self._access.grant(question, self._names) is not None
        except Exception:
            answer = Failure()
        else:
            self._known[key] = (self._reactor.seconds() + REMEMBERED_FOR, answer)
            self._known.move_to_end(key)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        for found in self._looking.pop(key):
            # A Failure fires the errbacks.
            found.callback(answer)


def leave_direct(delivery: Delivery) -> None:
    """Take what RabbitMQ would read an address in from ``reply_to``, whoever wrote it there."""
    queue = delivery.properties.get("reply_to", "")
    if queue.startswith(DIRECT):
        log.info("a request names in reply_to what only RabbitMQ may: {queue}", queue=queue)
        del delivery.properties["reply_to"]


def login_of_sender(delivery: Delivery) -> str:
    """Whom the broker says that the message is from; ``""``: nobody."""
    login: str | None = delivery.properties.get("user_id")
    if login is not None:
        return login
    exchange = ClientExchange.parse(delivery.exchange)
    return str(exchange.owner) if exchange is not None else ""
