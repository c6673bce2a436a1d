"""The service that ``twistd stacksync`` runs: wires the parts, starts and stops them.

The composition root: nothing is decided here that an engine or a front-end
could decide.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from stacksync import __version__
from stacksync.allocator import share_one_arena
from stacksync.command_line import Options
from stacksync.config import Config
from stacksync.core import Core
from stacksync.embedded import welcome
from stacksync.errors import StackSyncError
from stacksync.interfaces import IHealthCheck
from stacksync.log import limit_level
from stacksync.serving.amqp import AmqpFrontEnd
from stacksync.serving.http import HttpFrontEnd
from stacksync.serving.waiting import until_available
from stacksync.tls import HangUp

log = Logger()


class StackSyncService(Service):
    """Everything that one process does.

    :param tell: writes a line for the person who started it in the foreground.
    :param settings: the file of the settings, to tell that person.
    """

    def __init__(
        self,
        reactor: Any,
        config: Config,
        tell: Callable[[str], None] | None = None,
        settings: Path | None = None,
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._settings = settings
        self._tell = tell or tell_on_stdout
        self._core = Core(reactor, config, serves=True)
        self._starting: Deferred[None] | None = None
        self._restore_log: Callable[[], None] = lambda: None
        self._hang_up = HangUp(reactor)
        self._http = HttpFrontEnd(reactor, config, self._core, self._hang_up)
        self._amqp = AmqpFrontEnd(reactor, config, self._core, self._hang_up)

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
        # Its pool tells of a database that is away.
        await until_available(self._reactor, core.check_schema)
        core.engine.start()
        health: list[IHealthCheck] = [core.database, core.store]
        if core.keystone is not None:
            health.append(core.keystone)
        amqp, http = self._amqp, self._http
        broker = await amqp.find_broker()
        if broker is not None:
            health.append(broker)
        # HTTP need not wait for Keystone, and is where /readyz says what is away.
        await http.start(health)
        await amqp.start()
        # Not before the front-ends can tell what the jobs have to tell.
        core.engine.jobs.start()
        parts = [f"HTTP on {http.url}" if http.url else "no HTTP", f"AMQP ({amqp.note})"]
        parts.append("embedded database" if core.is_embedded else "database as configured")
        log.info("StackSync is up: {parts}", parts=", ".join(parts))
        if core.is_embedded:
            await self._welcome()

    async def _welcome(self) -> None:
        first = None
        # Whose password Keystone keeps, nobody can make up here.
        keeps_passwords = self._config.auth.passwords == "local"
        if keeps_passwords:
            first = await welcome.first_account(self._core.engine, self._core.hasher)
        for line in welcome.lines(
            home=self._config.service.home,
            http_url=self._http.url,
            amqp_url=self._amqp.public_url,
            amqp_note=self._amqp.note,
            takes_tokens=self._amqp.takes_tokens,
            first=first,
            settings=self._settings,
            keeps_passwords=keeps_passwords,
        ):
            self._tell(line)

    async def _stop(self) -> None:
        within = self._config.service.stop_timeout
        if self._starting is not None:
            self._starting.cancel()
        self._hang_up.stop()
        await closed("the port", self._http.stop_listening())
        await closed("HTTP", self._http.drain(within))
        await closed("AMQP", self._amqp.stop(within))
        await closed("the database", self._core.stop())
        await closed("the private broker", self._amqp.stop_node())
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
    settings = Path(options["config"]).absolute() if options["config"] else None
    return StackSyncService(reactor, options.configuration, settings=settings)


__all__ = ["Options", "StackSyncService", "makeService"]
