"""Removes what applications leave behind: nonces, and request tokens whose time is over.

Neither would be taken any more: it only frees what they hold.
"""

from __future__ import annotations

import time
from typing import Any

from twisted.logger import Logger

from stacksync.engine.oauth.applications import Applications
from stacksync.engine.oauth.signers import Signers
from stacksync.engine.recurring import Recurring

log = Logger()

INTERVAL = 60.0
"""Seconds between two looks."""


class ApplicationSweep:
    """Runs every minute; several instances do no harm to each other."""

    def __init__(self, reactor: Any, applications: Applications, signers: Signers) -> None:
        self._applications = applications
        self._signers = signers
        self._recurring = Recurring(reactor, "applications", INTERVAL, self.sweep)

    def start(self) -> None:
        self._recurring.start()

    def stop(self) -> None:
        self._recurring.stop()

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
