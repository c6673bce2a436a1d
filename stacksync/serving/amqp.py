"""AMQP: the broker, found or started, and the front-end on it."""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from stacksync.config import Config
from stacksync.core import Core
from stacksync.embedded import home, rabbitmq
from stacksync.errors import Unavailable
from stacksync.interfaces import IHealthCheck
from stacksync.protocols.amqp.awaited import AwaitedFrontEnd
from stacksync.protocols.amqp.broker import Broker
from stacksync.protocols.amqp.front_end import make_broker
from stacksync.protocols.amqp.storage_place import NO_PLACE, StoragePlace
from stacksync.serving.waiting import until_available

log = Logger()

NO_BROKER = "RabbitMQ is not installed: HTTP alone"
OFF = "off"
AUTO = "auto"


class AmqpFrontEnd:
    """The AMQP front-end of one process.

    :ivar url: the broker's, once :meth:`find_broker` is through; ``None``: there is none.
    :ivar note: a word on how it came about.
    """

    url: str | None = None
    note: str = OFF

    def __init__(self, reactor: Any, config: Config, core: Core) -> None:
        self._reactor = reactor
        self._config = config
        self._core = core
        self._awaited = AwaitedFrontEnd("waits for Keystone to tell where devices find Swift")
        self._node: rabbitmq.Broker | None = None
        self._broker: Broker | None = None

    async def find_broker(self) -> IHealthCheck | None:
        """Find the broker, or start a private one, if there is to be one.

        :returns: the part that ``/readyz`` asks.
        """
        self.url, self.note = await self._find_broker()
        if self.url is None:
            return None
        self._core.engine.notifier.subscribe(self._awaited)
        return self._awaited

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
        self._broker, notifications = make_broker(
            self._reactor, self._core.engine, self.url, identity, self._config.amqp, place
        )
        self._awaited.begins(self._broker, notifications)
        self._broker.start()

    async def stop(self, within: float) -> None:
        """Finish the requests in work, and leave the broker."""
        if self._broker is not None:
            await self._broker.stop(within)

    async def stop_node(self) -> None:
        """Leave a private node, which ends if no other process uses it."""
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
        return self._node.url, f"{self._node.origin.value} broker"

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
