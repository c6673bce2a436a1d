"""AMQP: the broker, found or started, and the front-end on it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from twisted.logger import Logger

from stacksync.config import Config
from stacksync.core import Core
from stacksync.embedded import home, rabbitmq
from stacksync.errors import Unavailable
from stacksync.interfaces import IHealthCheck
from stacksync.protocols.amqp.awaited import AwaitedFrontEnd
from stacksync.protocols.amqp.broker import Broker
from stacksync.protocols.amqp.client_topology import ClientTopology
from stacksync.protocols.amqp.front_end import make_broker
from stacksync.protocols.amqp.methods.storage_place import NO_PLACE, StoragePlace
from stacksync.protocols.amqp.wire.address import Address
from stacksync.serving.broker_asks import BrokerAsks
from stacksync.serving.waiting import until_available
from stacksync.tls import ClientSecurity, HangUp

log = Logger()

NO_BROKER = "RabbitMQ is not installed: HTTP alone"
OFF = "off"
AUTO = "auto"
JOINED = "joined broker, which does not ask StackSync: docs/amqp.rst says what it needs"


class AmqpFrontEnd:
    """The AMQP front-end of one process.

    :ivar url: the broker's, once :meth:`find_broker` is through; ``None``: there is none.
    :ivar note: a word on how it came about.
    """

    url: str | None = None
    note: str = OFF

    def __init__(self, reactor: Any, config: Config, core: Core, hang_up: HangUp) -> None:
        self._reactor = reactor
        self._config = config
        self._core = core
        self._hang_up = hang_up
        self._awaited = AwaitedFrontEnd("waits for Keystone to tell where devices find Swift")
        self._node: rabbitmq.Broker | None = None
        self._broker: Broker | None = None
        self._asks: BrokerAsks | None = None

    async def find_broker(self) -> IHealthCheck | None:
        """Find the broker, or start a private one, if there is to be one.

        :returns: the part that ``/readyz`` asks.
        """
        self.url, self.note = await self._find_broker()
        if self.url is None:
            return None
        self._core.engine.notifier.subscribe(self._awaited)
        return self._awaited

    @property
    def public_url(self) -> str | None:
        """Where devices find the broker, without anybody's login."""
        return without_login(self.url) if self.url is not None else None

    @property
    def takes_tokens(self) -> bool:
        """Whether devices log in to the broker with their tokens."""
        return self._asks is not None and self._asks.is_asked

    async def start(self) -> None:
        """Connect to the broker; waits for Keystone, if devices have to be told of it."""
        if self.url is None:
            return
        place = await self._storage_place()
        identity = self._config.amqp.identity
        if identity == "message":
            log.warn(
                "amqp.identity = message: whoever reaches the broker can act for any account;"
                " right only for a broker that none but trusted parties reach"
            )
        asks = self._asks = BrokerAsks(
            self._reactor, self._config, self._core, self._node, self._hang_up
        )
        broker, notifications = make_broker(
            self._reactor,
            self._core.engine,
            self.url,
            identity,
            self._config.amqp,
            place,
            self._config.limits.json_depth,
            self._security(),
            is_asked=asks.is_asked,
        )
        self._broker = broker
        topology = ClientTopology(self._config.amqp, lambda: broker.connection)
        await asks.start(topology, Address.parse(self.url).vhost)
        self._awaited.begins(broker, notifications)
        broker.start()

    def _security(self) -> ClientSecurity | None:
        """Whom we trust, and who we are, where the broker is reached by TLS."""
        settings = self._config.amqp
        if self.url is None or not self.url.startswith("amqps:"):
            return None
        files = (settings.ca_file, settings.certificate, settings.key)
        security = ClientSecurity("amqp", *files)
        self._hang_up.subscribe(security.reload)
        return security

    async def stop(self, within: float) -> None:
        """Finish the requests in work, and leave the broker."""
        if self._broker is not None:
            await self._broker.stop(within)
        if self._asks is not None:
            await self._asks.stop()

    async def stop_node(self) -> None:
        """Leave a private node, which ends if no other process uses it."""
        if self._asks is not None:
            await self._asks.stop_management()
        if self._node is not None:
            await self._node.stop()

    async def _find_broker(self) -> tuple[str | None, str]:
        url = self._config.amqp.url
        if url == OFF:
            return None, "off"
        if url != AUTO:
            return url, "as configured"
        directory = home.prepare(self._config.service.home)
        try:
            self._node = await rabbitmq.find_or_start(self._reactor, directory)
        except Unavailable as error:
            log.error("no private broker: {problem}", problem=str(error))
            return None, f"{error.problem.splitlines()[0]}: HTTP alone"
        if self._node is None:
            return None, NO_BROKER
        if self._node.origin is rabbitmq.Origin.PRIVATE:
            return self._node.url, "private broker"
        if self._config.amqp.auth_listen != OFF:
            return self._node.url, "joined broker"
        log.warn(
            "the broker at {url} was there already and does not ask StackSync whom it may let in:"
            " a device needs a user of the broker's, called like its account's id or e-mail, with"
            " no more permissions than docs/amqp.rst names; or let it ask (amqp.auth_listen)",
            url=without_login(self._node.url),
        )
        return self._node.url, JOINED

    async def _storage_place(self) -> StoragePlace:
        """Where devices find the object store themselves; waits for Keystone, which knows."""
        keystone = self._core.keystone
        if keystone is None or self._config.storage.url != "swift":
            return NO_PLACE

        def away(error: Unavailable) -> None:
            log.warn(
                "AMQP waits, for devices can't be told where Swift is: {problem}",
                problem=str(error),
            )

        reactor = self._reactor
        url = await until_available(reactor, lambda: keystone.object_store("public"), away)
        # Of an application credential only Keystone knows which project it is for.
        project = (await until_available(reactor, keystone.present, away)).project_name
        return StoragePlace(url, project, keystone.config.url)


def without_login(url: str) -> str:
    place = urlsplit(url)
    return place._replace(netloc=place.netloc.rpartition("@")[2]).geturl()
