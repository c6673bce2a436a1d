"""Where to listen, and whether with TLS: endpoint strings and the files that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IStreamServerEndpoint

from stacksync.config.tls_endpoint import PREFIX, tls_endpoint
from stacksync.tls.endpoint import secured
from stacksync.tls.hang_up import HangUp
from stacksync.tls.identity import IdentityFiles
from stacksync.tls.server import ServerSecurity


@frozen
class Listening:
    """A place to listen at, as the settings have it.

    :ivar section: of the settings: ``http``.
    :ivar option: in that section; has the endpoint.
    :ivar endpoint: a Twisted server endpoint string; ``ssl:`` names its files itself.
    :ivar certificate: of any other endpoint; an empty path: no TLS.
    """

    section: str
    option: str
    endpoint: str
    certificate: Path = Path()
    key: Path = Path()

    @property
    def is_secured(self) -> bool:
        """Whether TLS is spoken there."""
        return self.endpoint.startswith(PREFIX) or self.certificate != Path()

    def check(self) -> None:
        """Read the files that belong to it, if any do, and listen to nothing.

        :raises ConfigurationError: certificate or key can't be used; says which and why.
        """
        _, files = self._parts()
        if files is not None:
            ServerSecurity(files)

    def open(
        self, reactor: Any, hang_up: HangUp, refusal: bytes, protocols: Sequence[bytes] = ()
    ) -> IStreamServerEndpoint:
        """The endpoint to listen on; its files are read anew at each SIGHUP.

        :param refusal: what those are told who don't speak TLS where they should.
        :param protocols: what is spoken inside of it, for ALPN.
        :raises ConfigurationError: certificate or key can't be used; says which and why.
        """
        plain, files = self._parts()
        endpoint: IStreamServerEndpoint = serverFromString(reactor, plain)
        if files is None:
            return endpoint
        security = ServerSecurity(files, protocols)
        hang_up.subscribe(security.reload)
        return secured(endpoint, security, refusal, reactor)

    def _parts(self) -> tuple[str, IdentityFiles | None]:
        if self.endpoint.startswith(PREFIX):
            told = tls_endpoint(self.endpoint)
            where = f"[{self.section}] {self.option}"
            # Absolute, for a daemon may go to another directory.
            files = IdentityFiles(
                told.certificate.absolute(),
                told.key.absolute(),
                f"{where}: certKey",
                f"{where}: privateKey",
                told.chain and told.chain.absolute(),
                f"{where}: extraCertChain",
            )
            return told.plain, files
        if self.certificate == Path():
            return self.endpoint, None
        return self.endpoint, IdentityFiles.of_section(self.section, self.certificate, self.key)
