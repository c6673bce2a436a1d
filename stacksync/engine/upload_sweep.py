"""Removes the uploads whose time is over, now and then.

They look gone before that: it only frees what they hold.  Their chunks are
the garbage collection's business.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from stacksync.engine.uploads import Uploads
from stacksync.errors import Unavailable

log = Logger()

INTERVAL = 3600.0
"""Seconds between two looks."""


class UploadSweep:
    """Runs every hour; several instances do no harm to each other."""

    def __init__(self, reactor: Any, uploads: Uploads) -> None:
        self._uploads = uploads
        self._loop = LoopingCall(self._turn)
        self._loop.clock = reactor

    def start(self) -> None:
        self._loop.start(INTERVAL, now=False)

    def stop(self) -> None:
        if self._loop.running:
            self._loop.stop()

    def _turn(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._sweep())

    async def _sweep(self) -> None:
        try:
            removed = await self._uploads.remove_expired()
        except Unavailable as error:
            log.debug("uploads: {problem}", problem=str(error))
        except Exception:
            log.failure("uploads: those that expired could not be removed")
        else:
            if removed:
                log.info("uploads: {removed} had expired and were removed", removed=removed)
