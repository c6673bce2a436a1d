"""HTTP: who may sign in, the site, and where it listens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort

from stacksync.auth.keystone import KeystonePasswords, TokenAuthenticator
from stacksync.auth.local import LocalPasswords
from stacksync.auth.sign_in import PasswordAuthenticator, PasswordVerifier
from stacksync.config import Config
from stacksync.core import Core
from stacksync.errors import Unavailable
from stacksync.interfaces import IHealthCheck, ITokenAuthenticator
from stacksync.protocols.http.site import ApiSite, make_site

OFF = "off"


class HttpFrontEnd:
    """The HTTP front-end of one process.

    :ivar url: where it listens, without a path; ``None``: nowhere.
    """

    url: str | None = None

    def __init__(self, reactor: Any, config: Config, core: Core) -> None:
        self._reactor = reactor
        self._config = config
        self._core = core
        self._site: ApiSite | None = None
        self._port: IListeningPort | None = None

    async def start(self, health: Sequence[IHealthCheck]) -> None:
        """Listen where the settings say, if they do.

        :param health: the parts that ``/readyz`` asks.
        :raises Unavailable: the address can't be listened on.
        """
        listen = self._config.http.listen
        if listen == OFF:
            return
        authenticator = PasswordAuthenticator(self._reactor, self._verifier(), self._config.auth)
        self._site = make_site(
            self._reactor,
            self._core.engine,
            authenticator,
            health,
            self._config.http,
            access_log=self._config.log.level == "debug",
            tokens=self._keystone_tokens(),
        )
        endpoint = serverFromString(self._reactor, listen)
        try:
            self._port = await endpoint.listen(self._site)
        except Exception as error:
            raise Unavailable("HTTP", f"cannot listen on {listen}: {error}") from error
        address = self._port.getHost()
        scheme = "https" if listen.startswith("ssl:") else "http"
        host, port = getattr(address, "host", None), getattr(address, "port", None)
        self.url = f"{scheme}://{host}:{port}" if host is not None else listen

    async def stop_listening(self) -> None:
        """Take no new connections."""
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)

    async def drain(self, within: float) -> None:
        """End the connections, each after the request under way.

        :param within: seconds after which those still busy are dropped.
        """
        if self._site is not None:
            await self._site.drain(within)

    def _verifier(self) -> PasswordVerifier:
        core = self._core
        if self._config.auth.passwords == "keystone" and core.identities is not None:
            return KeystonePasswords(core.engine.accounts, core.identities)
        return LocalPasswords(core.engine.accounts, core.hasher)

    def _keystone_tokens(self) -> ITokenAuthenticator | None:
        core, settings = self._core, self._config.auth
        if settings.passwords != "keystone" or core.identities is None:
            return None
        return TokenAuthenticator(self._reactor, core.engine.accounts, core.identities, settings)
