"""Removes what applications leave behind: nonces, and request tokens whose time is over.

Neither would be taken any more: it only frees what they hold.
"""

from __future__ import annotations

import time
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from stacksync.engine.applications import Applications
from stacksync.engine.signers import Signers
from stacksync.errors import Unavailable

log = Logger()

INTERVAL = 60.0
"""Seconds between two looks."""


class ApplicationSweep:
    """Runs every minute; several instances do no harm to each other."""

    def __init__(self, reactor: Any, applications: Applications, signers: Signers) -> None:
        self._applications = applications
        self._signers = signers
        self._loop = LoopingCall(self._turn)
        self._loop.clock = reactor

    def start(self) -> None:
        self._loop.start(INTERVAL, now=False)

    def stop(self) -> None:
        if self._loop.running:
            self._loop.stop()

    async def sweep(self) -> None:
        """:raises Unavailable: the database is away."""
        tokens = await self._applications.prune()
        nonces = await self._signers.prune(time.time())
        if tokens or nonces:
            log.debug(
                "applications: removed {tokens} request tokens and {nonces} nonces",
                tokens=tokens,
                nonces=nonces,
            )

    def _turn(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._sweep_quietly())

    async def _sweep_quietly(self) -> None:
        try:
            await self.sweep()
        except Unavailable as error:
            log.debug("applications: {problem}", problem=str(error))
        except Exception:
            log.failure("applications: what they left behind could not be removed")
