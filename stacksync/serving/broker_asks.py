"""A broker that asks us whom it may let in: where we answer it, and what we ask of it in turn."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import Logger

from stacksync.auth.broker_logins import BrokerLogins
from stacksync.config import Config
from stacksync.core import Core
from stacksync.embedded import rabbitmq
from stacksync.errors import Unavailable
from stacksync.interfaces import IClientTopology
from stacksync.protocols.broker.site import questions_site
from stacksync.protocols.http.edge.mistaken import PLAIN_TO_TLS
from stacksync.rabbitmq import ClientQueueLimits, Management
from stacksync.serving.waiting import until_available
from stacksync.tls import HangUp, Listening

log = Logger()

OFF = "off"


class BrokerAsks:
    """The answers of one process, and its use of the management API.

    :param node: the private or joined broker; ``None``: one that the settings name.
    """

    def __init__(
        self,
        reactor: Any,
        config: Config,
        core: Core,
        node: rabbitmq.Broker | None,
        hang_up: HangUp,
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._core = core
        self._node = node
        self._hang_up = hang_up
        self._port: IListeningPort | None = None
        self._management: Management | None = None
        self._limiting: Deferred[None] | None = None

    @property
    def is_asked(self) -> bool:
        """Whether the broker asks us, so that what it says of a sender is proven."""
        if self._node is not None and self._node.questions is not None:
            return True
        return self._config.amqp.auth_listen != OFF

    async def start(self, topology: IClientTopology, vhost: str) -> None:
        """Begin to answer, before our own first login, which may be asked about as well.

        :raises Unavailable: ``amqp.auth_listen`` can't be listened on.
        :raises ConfigurationError: ``amqp.management_ca_file`` is of no use, or the files of
            ``amqp.auth_listen`` are.
        """
        if not self.is_asked:
            return
        await self._listen(topology, vhost)
        url = self._management_url()
        if not url:
            return
        management = Management(self._reactor, url, vhost, self._config.amqp.management_ca_file)
        self._management = self._core.broker_connections = management
        self._limiting = Deferred.fromCoroutine(self._limit_queues(management))
        self._limiting.addErrback(lambda failure: failure.trap(CancelledError) and None)

    async def stop(self) -> None:
        """Answer no more."""
        if self._limiting is not None:
            self._limiting.cancel()
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)

    async def stop_management(self) -> None:
        """Close the connections to the management API, when no job needs them any more."""
        if self._management is not None:
            await self._management.stop()

    async def _listen(self, topology: IClientTopology, vhost: str) -> None:
        if self._node is not None and self._node.questions is not None:
            site = self._site(topology, vhost)
            self._port = self._node.answer_with(self._reactor, site)
            return
        listen = self._config.amqp.auth_listen
        place = Listening("amqp", "auth_listen", listen)
        endpoint = place.open(self._reactor, self._hang_up, PLAIN_TO_TLS)
        try:
            self._port = await endpoint.listen(self._site(topology, vhost))
        except Exception as error:
            raise Unavailable("amqp.auth_listen", f"cannot listen on {listen}: {error}") from error

    def _site(self, topology: IClientTopology, vhost: str) -> IProtocolFactory:
        core, config = self._core, self._config
        questions = self._node.questions if self._node is not None else None
        logins = BrokerLogins(
            self._reactor,
            core.engine.tokens,
            core.engine.broker_access,
            config.auth.failure_delay,
            core.engine.audit.note,
        )
        return questions_site(
            self._reactor,
            core.engine,
            config.amqp,
            logins,
            topology,
            vhost=vhost,
            secret=questions.secret if questions is not None else config.amqp.auth_secret,
            service_login=questions.service_login if questions is not None else None,
            service_password=questions.service_password if questions is not None else None,
        )

    def _management_url(self) -> str:
        if self._node is not None and self._node.management_url:
            return self._node.management_url
        return self._config.amqp.management_url

    async def _limit_queues(self, management: Management) -> None:
        """Bound what clients can leave at the broker, however long that is away."""
        amqp = self._config.amqp
        policies = ClientQueueLimits().policies(amqp.request_queue, amqp.dead_letter_queue)

        def away(error: Unavailable) -> None:
            log.warn("broker: the queues of clients have no bounds yet: {problem}", problem=error)

        async def set_all() -> None:
            for name, policy in policies.items():
                await management.set_operator_policy(name, policy)

        await until_available(self._reactor, set_all, away)
