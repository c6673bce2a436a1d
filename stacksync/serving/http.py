"""HTTP: who may sign in, the site, and where it listens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IListeningPort

from stacksync.auth.applications import TokenProvider
from stacksync.auth.keystone import KeystonePasswords, TokenAuthenticator
from stacksync.auth.local import LocalPasswords
from stacksync.auth.sign_in import PasswordAuthenticator, PasswordVerifier
from stacksync.auth.signatures import SignatureAuthenticator, SignatureReader
from stacksync.config import Config
from stacksync.core import Core
from stacksync.errors import Unavailable
from stacksync.interfaces import IHealthCheck
from stacksync.protocols.http.edge.mistaken import PLAIN_TO_TLS
from stacksync.protocols.http.sign_in import SignInWays
from stacksync.protocols.http.site import ApiSite, make_site
from stacksync.serving.descriptors import connections_bound, widen_queue
from stacksync.tls import HangUp, Listening

OFF = "off"


class HttpFrontEnd:
    """The HTTP front-end of one process.

    :ivar url: where it listens, without a path; ``None``: nowhere.
    """

    url: str | None = None

    def __init__(self, reactor: Any, config: Config, core: Core, hang_up: HangUp) -> None:
        self._reactor = reactor
        self._config = config
        self._core = core
        self._hang_up = hang_up
        self._site: ApiSite | None = None
        self._port: IListeningPort | None = None

    async def start(self, health: Sequence[IHealthCheck]) -> None:
        """Listen where the settings say, if they do.

        :param health: the parts that ``/readyz`` asks.
        :raises ConfigurationError: certificate or key can't be used.
        :raises Unavailable: the address can't be listened on.
        """
        settings = self._config.http
        listen = settings.listen
        if listen == OFF:
            return
        place = Listening("http", "listen", listen, settings.certificate, settings.key)
        authenticator = PasswordAuthenticator(
            self._reactor, self._verifier(), self._config.auth, self._core.engine.audit.note
        )
        self._site = make_site(
            self._reactor,
            self._core.engine,
            authenticator,
            health,
            evolve(settings, connections_max=connections_bound(settings.connections_max)),
            access_log=self._config.log.level == "debug",
            limits=self._config.limits,
            sign_ins=self._sign_in_ways(authenticator),
            passwords=self._core.passwords,
        )
        endpoint = place.open(
            self._reactor, self._hang_up, PLAIN_TO_TLS, self._site.acceptableProtocols()
        )
        try:
            self._port = await endpoint.listen(self._site)
        except Exception as error:
            # Beside a UNIX socket Twisted keeps a lock, and says only that it can't have it.
            told = "another process listens there" if "acquire lock" in str(error) else str(error)
            raise Unavailable("HTTP", f"cannot listen on {listen}: {told}") from error
        widen_queue(self._port)
        address = self._port.getHost()
        scheme = "https" if place.is_secured else "http"
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
            return KeystonePasswords(core.engine.passwords, core.identities)
        return LocalPasswords(core.engine.passwords, core.hasher)

    def _sign_in_ways(self, authenticator: PasswordAuthenticator) -> SignInWays:
        """The ways besides e-mail and password; each forgets what holds no more."""
        keystone = self._keystone_tokens()
        engine, oauth = self._core.engine, self._config.oauth
        sign_ins, note = engine.sign_ins, engine.audit.note
        reader = SignatureReader(oauth.clock_skew)
        sign_ins.subscribe(authenticator.forget)
        if keystone is not None:
            sign_ins.subscribe(keystone.forget)
        return SignInWays(
            bearer=self._core.bearer,
            signatures=SignatureAuthenticator(engine.oauth.signers, reader, note),
            provider=TokenProvider(engine.oauth.applications, engine.oauth.signers, reader, note),
            keystone=keystone,
            public_url=oauth.public_url,
        )

    def _keystone_tokens(self) -> TokenAuthenticator | None:
        core, settings = self._core, self._config.auth
        if settings.passwords != "keystone" or core.identities is None:
            return None
        return TokenAuthenticator(
            self._reactor,
            core.engine.accounts,
            core.identities,
            settings,
            note=core.engine.audit.note,
        )
