"""The service that ``twistd stacksync`` runs: wires the parts, starts and stops them.

The composition root: nothing is decided here that an engine or a front-end
could decide.
"""

from __future__ import annotations

import atexit
import os
import random
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from stacksync import __version__
from stacksync.allocator import share_one_arena
from stacksync.auth.keystone import KeystonePasswords, TokenAuthenticator
from stacksync.auth.local import LocalPasswords
from stacksync.auth.sign_in import PasswordAuthenticator, PasswordVerifier
from stacksync.command_line import Options
from stacksync.config import Config
from stacksync.core import Core
from stacksync.embedded import home, rabbitmq, welcome
from stacksync.errors import StackSyncError, Unavailable
from stacksync.interfaces import IHealthCheck
from stacksync.log import limit_level
from stacksync.protocols.amqp.awaited import AwaitedFrontEnd
from stacksync.protocols.amqp.broker import Broker
from stacksync.protocols.amqp.front_end import make_broker
from stacksync.protocols.amqp.storage_place import NO_PLACE, StoragePlace
from stacksync.protocols.http.site import ApiSite, make_site

T = TypeVar("T")

log = Logger()

FIRST_DELAY = 0.25
LONGEST_DELAY = 10.0
NO_BROKER = "RabbitMQ is not installed: HTTP alone"
OFF = "off"
AUTO = "auto"


class StackSyncService(Service):
    """Everything that one process does.

    :param tell: writes a line for the person who started it in the foreground.
    """

    def __init__(
        self, reactor: Any, config: Config, tell: Callable[[str], None] | None = None
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._tell = tell or tell_on_stdout
        self._core = Core(reactor, config)
        self._starting: Deferred[None] | None = None
        self._restore_log: Callable[[], None] = lambda: None
        self._node: rabbitmq.Broker | None = None
        self._broker: Broker | None = None
        self._site: ApiSite | None = None
        self._port: IListeningPort | None = None
        self._http_url: str | None = None

    def startService(self) -> None:
        """Begin to start the parts; what fails for good ends the process with status 1."""
        super().startService()
        self._restore_log = limit_level(self._config.log.level)
        # Not at once: twistd calls this before the reactor runs, and before then a
        # SIGTERM ends the process without a word.
        self._reactor.callWhenRunning(self._begin)

    def stopService(self) -> Deferred[None]:
        """Stop in order: take nothing new, finish what is in flight, close."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    def _begin(self) -> None:
        if self.running:
            self._starting = Deferred.fromCoroutine(self._start())
            self._starting.addErrback(self._could_not_start)

    async def _start(self) -> None:
        log.info("StackSync {version} starts", version=__version__)
        core = self._core
        await core.start()
        await self._until_schema_is_right()
        core.engine.start()
        amqp_url, amqp_note = await self._find_broker()
        health: list[IHealthCheck] = [core.database, core.store]
        if core.keystone is not None:
            health.append(core.keystone)
        amqp = AwaitedFrontEnd("waits for Keystone to tell where devices find Swift")
        if amqp_url is not None:
            core.engine.notifier.subscribe(amqp)
            health.append(amqp)
        # HTTP need not wait for Keystone, and is where /readyz says what is away.
        await self._listen(health)
        if amqp_url is not None:
            self._start_broker(amqp_url, await self._storage_place(), amqp)
        # Not before the front-ends can tell what the jobs have to tell.
        core.engine.jobs.start()
        parts = [f"HTTP on {self._http_url}" if self._http_url else "no HTTP"]
        parts.append(f"AMQP ({amqp_note})")
        parts.append("embedded database" if core.is_embedded else "database as configured")
        log.info("StackSync is up: {parts}", parts=", ".join(parts))
        if core.is_embedded:
            await self._welcome(amqp_url, amqp_note)

    async def _until_schema_is_right(self) -> None:
        """Wait for a database that is away, with jittered back-off; its pool tells of that."""
        await self._until_available(self._core.check_schema, lambda error: None)

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

        url = await self._until_available(lambda: keystone.object_store("public"), away)
        # Of an application credential only Keystone knows which project it is for.
        project = (await self._until_available(keystone.present, away)).project_name
        return StoragePlace(url, project, keystone.config.url)

    async def _until_available(
        self, ask: Callable[[], Awaitable[T]], away: Callable[[Unavailable], None]
    ) -> T:
        """The answer of a part that may be away at first, asked for with jittered back-off.

        :param away: is told the first problem.
        """
        attempt = 0
        while True:
            try:
                return await ask()
            except Unavailable as error:
                log.debug("{problem}", problem=str(error))
                if not attempt:
                    away(error)
            attempt += 1
            delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempt - 1, 10))
            await deferLater(self._reactor, delay * random.uniform(0.5, 1.0))

    async def _find_broker(self) -> tuple[str | None, str]:
        """The broker's URL, if there is to be one, and a word on how it came about."""
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

    def _start_broker(self, url: str, place: StoragePlace, awaited: AwaitedFrontEnd) -> None:
        identity = self._config.amqp.identity
        if identity == "message":
            log.warn(
                "amqp.identity = message: whoever reaches the broker can act for any account;"
                " right only for a broker that none but trusted parties reach"
            )
        self._broker, notifications = make_broker(
            self._reactor, self._core.engine, url, identity, self._config.amqp, place
        )
        awaited.begins(self._broker, notifications)
        self._broker.start()

    async def _listen(self, health: list[IHealthCheck]) -> None:
        listen = self._config.http.listen
        if listen == OFF:
            return
        core = self._core
        verifier: PasswordVerifier = LocalPasswords(core.engine.accounts, core.hasher)
        tokens = None
        if self._config.auth.passwords == "keystone" and core.identities is not None:
            accounts, settings = core.engine.accounts, self._config.auth
            verifier = KeystonePasswords(accounts, core.identities)
            tokens = TokenAuthenticator(self._reactor, accounts, core.identities, settings)
        authenticator = PasswordAuthenticator(self._reactor, verifier, self._config.auth)
        self._site = make_site(
            self._reactor,
            core.engine,
            authenticator,
            health,
            self._config.http,
            access_log=self._config.log.level == "debug",
            tokens=tokens,
        )
        endpoint = serverFromString(self._reactor, listen)
        try:
            self._port = await endpoint.listen(self._site)
        except Exception as error:
            raise Unavailable("HTTP", f"cannot listen on {listen}: {error}") from error
        address = self._port.getHost()
        scheme = "https" if listen.startswith("ssl:") else "http"
        host, port = getattr(address, "host", None), getattr(address, "port", None)
        self._http_url = f"{scheme}://{host}:{port}" if host is not None else listen

    async def _welcome(self, amqp_url: str | None, amqp_note: str) -> None:
        first = None
        # Whose password Keystone keeps, nobody can make up here.
        keeps_passwords = self._config.auth.passwords == "local"
        if keeps_passwords:
            first = await welcome.first_account(self._core.engine, self._core.hasher)
        for line in welcome.lines(
            home=self._config.service.home,
            http_url=self._http_url,
            amqp_url=amqp_url,
            amqp_note=amqp_note,
            first=first,
            keeps_passwords=keeps_passwords,
        ):
            self._tell(line)

    async def _stop(self) -> None:
        within = self._config.service.stop_timeout
        if self._starting is not None:
            self._starting.cancel()
        if self._port is not None:
            await closed("the port", maybeDeferred(self._port.stopListening))
        if self._site is not None:
            await closed("HTTP", self._site.drain(within))
        if self._broker is not None:
            await closed("AMQP", self._broker.stop(within))
        await closed("the database", self._core.stop())
        if self._node is not None:
            await closed("the private broker", self._node.stop())
        log.info("StackSync has stopped")
        self._restore_log()

    def _could_not_start(self, failure: Failure) -> None:
        if not self.running:
            return
        if failure.check(StackSyncError):
            log.critical("StackSync cannot start: {problem}", problem=str(failure.value))
        else:
            log.failure("StackSync cannot start", failure)
        # twistd has no way to say it: the reactor's end is success to it.
        atexit.register(exit_with_failure)
        self._reactor.stop()


async def closed(part: str, closing: Awaitable[object]) -> None:
    """Wait until a part is closed; one that fails to is no reason to leave others open."""
    try:
        await closing
    except Exception:
        log.failure("could not close {part} properly", part=part)


def tell_on_stdout(line: str) -> None:
    """Past twistd, which makes log lines of what is written to ``sys.stdout``."""
    if sys.__stdout__ is not None:
        print(line, file=sys.__stdout__, flush=True)


def exit_with_failure() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def makeService(options: Options) -> StackSyncService:
    """What the plugin names: the service for these arguments of ``twistd``."""
    from twisted.internet import reactor

    share_one_arena()
    return StackSyncService(reactor, options.configuration)


__all__ = ["Options", "StackSyncService", "makeService"]
