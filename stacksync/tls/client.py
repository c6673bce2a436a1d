"""The client's end of TLS: whom we trust and who we are, read anew when told to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import Logger

from stacksync.errors import ConfigurationError
from stacksync.tls.identity import IdentityFiles, read_identity
from stacksync.tls.trust import Trust, trust_of

log = Logger()


class ClientSecurity:
    """Secures connections to one part of the world around us.

    :param section: of the settings, which has ``ca_file``, ``certificate`` and ``key``.
    :param ca_file: who may have signed the server's certificate; see :func:`.trust_of`.
    :param certificate: our own, for servers that want one; an empty path: none.
    :raises ConfigurationError: a file can't be used; says which and why.
    """

    def __init__(
        self,
        section: str,
        ca_file: Path = Path(),
        certificate: Path = Path(),
        key: Path = Path(),
    ) -> None:
        self._option = f"[{section}] ca_file"
        self._ca_file = ca_file if ca_file == Path() else ca_file.absolute()
        self._files = None
        if certificate != Path():
            self._files = IdentityFiles.of_section(section, certificate, key)
        self._trust = self._read()

    def reload(self) -> None:
        """Read the files anew, for the connections to come; what is wrong changes nothing."""
        try:
            self._trust = self._read()
        except ConfigurationError as error:
            log.error("{problem}; what was read before stays in use", problem=str(error))

    def secured(
        self, endpoint: IStreamClientEndpoint, host: str, clock: Any
    ) -> IStreamClientEndpoint:
        """The same endpoint with TLS, if the other end proves to be the host.

        :param clock: an ``IReactorTime``.
        """
        return wrapClientTLS(self._trust.of_host(host), endpoint, clock)

    def _read(self) -> Trust:
        identity = None if self._files is None else read_identity(self._files)
        return trust_of(self._ca_file, self._option, identity)
