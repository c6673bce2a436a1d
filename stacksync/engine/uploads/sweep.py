"""Removes the uploads whose time is over, now and then.

They look gone before that: it only frees what they hold.  Their chunks are
the garbage collection's business.
"""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from stacksync.engine.recurring import Recurring
from stacksync.engine.uploads import Uploads

log = Logger()

INTERVAL = 3600.0
"""Seconds between two looks."""


class UploadSweep:
    """Runs every hour; several instances do no harm to each other."""

    def __init__(self, reactor: Any, uploads: Uploads) -> None:
        self._uploads = uploads
        self._recurring = Recurring(reactor, "uploads", INTERVAL, self._sweep)

    def start(self) -> None:
        self._recurring.start()

    def stop(self) -> None:
        self._recurring.stop()

    async def _sweep(self) -> None:
        removed = await self._uploads.remove_expired()
        if removed:
            log.info("uploads: {removed} had expired and were removed", removed=removed)
