"""The site: the connections that reach the resources, and what they share.

Made once, from parts that are passed in.  The service listens with it and
stops it with :meth:`ApiSite.drain`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.logger import Logger
from twisted.web.server import Site

from stacksync.config import LimitsConfig
from stacksync.protocols.http.content.transfers import Transfers
from stacksync.protocols.http.edge.allowance import Allowance
from stacksync.protocols.http.edge.channel import ApiChannel
from stacksync.protocols.http.edge.connections import Connections
from stacksync.protocols.http.edge.cors import CrossOrigin
from stacksync.protocols.http.edge.in_flight import InFlight
from stacksync.protocols.http.edge.proxies import TrustedProxies
from stacksync.protocols.http.events import EventStreams
from stacksync.protocols.http.events.holdings import holdings_from
from stacksync.protocols.http.request import ApiRequest
from stacksync.protocols.http.resource import JSONResource
from stacksync.protocols.http.sign_in import SignInWays
from stacksync.protocols.http.tree import make_tree

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress, IReactorTime

    from stacksync.config import HttpConfig
    from stacksync.engine import Engine
    from stacksync.interfaces import IAuthenticator, IHealthCheck, IPasswordChanges
    from stacksync.model import Principal


def make_site(
    reactor: IReactorTime,
    engine: Engine,
    authenticator: IAuthenticator,
    health: Iterable[IHealthCheck],
    settings: HttpConfig,
    *,
    access_log: bool = False,
    sign_ins: SignInWays | None = None,
    limits: LimitsConfig | None = None,
    passwords: IPasswordChanges | None = None,
) -> ApiSite:
    """The HTTP front-end over an engine.

    It hears of events from the moment that something listens with it until
    that stops listening.

    :param health: the parts that ``/readyz`` asks.
    :param access_log: whether each request is logged, at the level ``debug``.
    :param sign_ins: the ways to sign in besides e-mail and password.
    :param limits: what accounts and addresses may ask; left out, the default.
    :param passwords: changes passwords; left out, nobody does here.
    """
    limits = limits or LimitsConfig()
    streams = EventStreams(
        reactor,
        settings,
        holdings_from(engine),
        account_max=limits.account_streams,
        holds=lambda each: engine.sign_ins.holds(each),
    )
    root = make_tree(reactor, engine, authenticator, streams, health, settings)
    return ApiSite(
        reactor, root, engine, streams, settings, limits, access_log, sign_ins, passwords
    )


class NoRoom(Protocol):
    """A connection that is not wanted.

    Not ``None`` in its place, which TLS does not take for an answer.
    """

    def connectionMade(self) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]


class ApiSite(Site):
    """The connections of the API and what they share.

    :ivar channels: the open connections.
    :ivar allowance: how much accounts and addresses may ask.
    :ivar json_depth: how deep lists and objects may stand in one another in a body.
    :ivar items_per_commit: how many items there may be in a commit.
    :ivar header_timeout: seconds that the head of a request may take.
    :ivar in_flight: the requests under way.
    :ivar streams: the open event streams.
    :ivar max_body: the bytes that a body may have.
    :ivar sign_ins: the ways to sign in besides e-mail and password.
    :ivar transfers: the contents of files on their way.
    :ivar passwords: changes passwords, if they are changed here.
    :ivar proxies: those of our own, which are believed.
    :ivar cross_origin: the web pages that may use the API.
    :ivar hsts: what ``Strict-Transport-Security`` says; empty: nothing.
    """

    resource: JSONResource
    protocol = ApiChannel  # type: ignore[assignment]
    requestFactory = ApiRequest
    noisy = False
    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTime,
        root: JSONResource,
        engine: Engine,
        streams: EventStreams,
        settings: HttpConfig,
        limits: LimitsConfig,
        access_log: bool,
        sign_ins: SignInWays | None = None,
        passwords: IPasswordChanges | None = None,
    ) -> None:
        super().__init__(
            root,
            timeout=settings.request_timeout,
            reactor=reactor,
            parsePOSTFormSubmission=False,
        )
        self.connections = Connections(reactor, settings.connections_max, settings.max_body)
        self.channels = self.connections.all
        self.allowance = Allowance(reactor, limits, settings.connections_max)
        self.passwords = passwords
        self.json_depth = limits.json_depth
        self.items_per_commit = limits.items_per_commit
        # A head is part of a request, so it never has longer than that.
        self.header_timeout = min(settings.header_timeout, settings.request_timeout)
        self.in_flight = InFlight(reactor, settings.request_timeout)
        self.streams = streams
        self.transfers = Transfers(streams.sign_ins)
        self.max_body = settings.max_body
        self.sign_ins = sign_ins or SignInWays()
        self.proxies = TrustedProxies(settings.trusted_proxies)
        self.cross_origin = CrossOrigin(settings.cors_origins)
        self.hsts = b"max-age=%d" % settings.hsts if settings.hsts else b""
        self._devices = engine.devices
        self._notifier = engine.notifier
        self._access_log = access_log
        self._drained: Deferred[None] | None = None

    async def check_device(self, principal: Principal) -> None:
        """See :meth:`stacksync.engine.devices.Devices.check_acting`."""
        await self._devices.check_acting(principal)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return super().buildProtocol(addr) if self.connections.has_room() else NoRoom()

    def startFactory(self) -> None:
        # Not Site's, which opens an access log of its own and keeps its clock.
        self._notifier.subscribe(self.streams, self.streams.refresh)
        self.in_flight.start()

    def stopFactory(self) -> None:
        self._notifier.unsubscribe(self.streams)
        self.streams.stop()
        self.in_flight.stop()

    async def drain(self, within: float) -> None:
        """End the connections, each after the request under way.  Stop listening first.

        :param within: seconds after which those still busy are dropped.
        """
        self.streams.stop()
        for channel in list(self.channels):
            channel.end()
        if not self.channels:
            return
        self._drained = Deferred()
        late = self.reactor.callLater(within, self._drop_all)
        await self._drained
        if late.active():
            late.cancel()

    def channel_lost(self, channel: ApiChannel) -> None:
        self.connections.closed(channel)
        if self._drained is not None and not self.channels and not self._drained.called:
            self._drained.callback(None)

    def acceptableProtocols(self) -> list[bytes]:
        # HTTP/2 would need a channel of its own with the same bounds as ours.
        return [b"http/1.1"]

    def streams_body(self, method: bytes, uri: bytes) -> bool:
        """Whether the resource there takes the body of such a request while it arrives."""
        resource, _ = self.resource.find(uri.partition(b"?")[0][1:])
        return method in resource.streamed_methods

    def log(self, request: ApiRequest) -> None:  # type: ignore[override]
        if self._access_log:
            self._log.debug(
                "{peer} {summary}: {code}, {length} bytes",
                peer=request.peer,
                summary=request.summary,
                code=request.code,
                length=request.sentLength,
            )

    def _drop_all(self) -> None:
        self._log.warn("{count} connections were still busy", count=len(self.channels))
        for channel in list(self.channels):
            channel.forceAbortClient()
