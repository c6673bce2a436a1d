"""Listening with TLS, on an endpoint of any kind.

Who doesn't speak TLS there is told so in plain text, without a word in the log.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from stacksync.tls.server import ServerSecurity

HANDSHAKE = 0x16
"""The first byte of TLS: the type of a record with a handshake (RFC 8446, section 5.1)."""

LINGER = 2.0
"""Seconds for whoever spoke plain text to read the answer."""


def looks_like_tls(data: bytes) -> bool:
    """Whether a connection that begins so wants TLS."""
    return data[:1] == bytes([HANDSHAKE])


def secured(
    endpoint: IStreamServerEndpoint,
    security: ServerSecurity,
    refusal: bytes,
    clock: Any,
) -> IStreamServerEndpoint:
    """The same endpoint with TLS on all of its connections.

    :param refusal: what those are told, in plain text, who don't speak TLS.
    :param clock: an ``IReactorTime``.
    """
    return _SecuredEndpoint(endpoint, security, refusal, clock)


@implementer(IStreamServerEndpoint)
class _SecuredEndpoint:
    def __init__(
        self, endpoint: IStreamServerEndpoint, security: ServerSecurity, refusal: bytes, clock: Any
    ) -> None:
        self._endpoint = endpoint
        self._security = security
        self._refusal = refusal
        self._clock = clock

    def listen(self, factory: IProtocolFactory) -> Deferred[IListeningPort]:
        wrapping = SecuredFactory(self._security, False, factory, self._clock)
        wrapping.refusal = self._refusal
        return self._endpoint.listen(wrapping)


class SecuredConnection(BufferingTLSTransport):
    """A connection that has to begin with TLS."""

    factory: SecuredFactory
    _is_first = True
    _lingering: IDelayedCall | None = None

    def dataReceived(self, data: bytes) -> None:
        if self._lingering is not None:
            return
        is_first, self._is_first = self._is_first, False
        if is_first and not looks_like_tls(data):
            self._refuse()
        else:
            super().dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        if self._lingering is not None and self._lingering.active():
            self._lingering.cancel()
        super().connectionLost(reason)

    def _refuse(self) -> None:
        # No alert and no end of TLS, which never began.
        self._lostTLSConnection = True
        transport: Any = self.transport
        # Closing before all of the request is read would reset the connection, and
        # with it the answer.
        self._lingering = self.factory.clock.callLater(LINGER, transport.abortConnection)
        transport.write(self.factory.refusal)
        transport.loseWriteConnection()

    def _shutdownTLS(self) -> None:  # noqa: N802
        connection: object = self._tlsConnection
        if connection is None:
            # Whoever was refused is lost at once, and not when the reactor comes to it.
            return
        super()._shutdownTLS()
        # Twisted would wait for the other end to say goodbye as well, which many never do;
        # nothing says that one has to (RFC 8446, section 6.1).
        if self.transport is not None:
            self.transport.loseConnection()


class SecuredFactory(TLSMemoryBIOFactory):
    """Builds them.

    :ivar refusal: what is said to who speaks plain text.
    """

    protocol = SecuredConnection
    refusal = b""

    @property
    def clock(self) -> Any:
        return self._clock
