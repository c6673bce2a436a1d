"""The server's end of TLS: shows our certificate, and a new one as soon as it is told to.

Connections keep the certificate that they began with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.logger import Logger
from zope.interface import implementer

from stacksync.errors import ConfigurationError
from stacksync.tls.context import new_context
from stacksync.tls.identity import Identity, IdentityFiles, read_identity

log = Logger()


@implementer(IOpenSSLServerConnectionCreator)
class ServerSecurity:
    """Makes the server's end of each connection.

    :param files: read at once, and by :meth:`reload`.
    :param protocols: what is spoken inside, for ALPN (RFC 7301), the best first.
    :raises ConfigurationError: see :func:`~stacksync.tls.identity.read_identity`.
    """

    def __init__(self, files: IdentityFiles, protocols: Sequence[bytes] = ()) -> None:
        self._files = files
        self._protocols = tuple(protocols)
        self._identity, self._context = self._read()

    def reload(self) -> None:
        """Read the files anew, for the connections to come; what is wrong changes nothing."""
        try:
            self._identity, self._context = self._read()
        except ConfigurationError as error:
            log.error("{problem}; the certificate from before stays in use", problem=str(error))
            return
        log.info(
            "{option}: new connections get the certificate in {file}, valid until {ends} UTC",
            option=self._files.certificate_option,
            file=str(self._identity.file),
            ends=f"{self._identity.ends:%Y-%m-%d %H:%M}",
        )

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:  # noqa: N802
        connection = SSL.Connection(self._context, None)
        connection.set_app_data(protocol)
        return connection

    def _read(self) -> tuple[Identity, SSL.Context]:
        identity = read_identity(self._files)
        context = new_context(identity)
        if self._protocols:
            context.set_alpn_select_callback(self._choose)
        return identity, context

    def _choose(self, connection: SSL.Connection, offered: Sequence[bytes]) -> Any:
        shared = [each for each in self._protocols if each in offered]
        return shared[0] if shared else SSL.NO_OVERLAPPING_PROTOCOLS
