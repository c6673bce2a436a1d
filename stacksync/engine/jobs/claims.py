"""The jobs that this instance has claimed, and goes on holding.

A claim ends by itself, so that the jobs of an instance that was killed go on
elsewhere.  It is renewed in good time; one that could not be is given up
before anybody else may take the job.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from stacksync.db.jobs import JobTable
from stacksync.errors import Unavailable
from stacksync.model import Job, JobKind

log = Logger()

LEASE = 30.0
"""Seconds after which a claim that is not renewed is anybody's."""

RENEWALS = 3
"""How often a claim is renewed in that time."""


class Claims:
    """Claims jobs by a name of its own.

    :param lost: called with the id of a job that is not ours any more.
    :ivar name: what the database calls this instance.
    """

    def __init__(
        self, reactor: Any, table: JobTable, lost: Callable[[int], None], lease: float = LEASE
    ) -> None:
        self._reactor = reactor
        self._table = table
        self._lost = lost
        self._lease = lease
        self._ends: dict[int, IDelayedCall] = {}
        self._loop = LoopingCall(self._turn)
        self._loop.clock = reactor
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    def start(self) -> None:
        """Begin to renew."""
        if not self._loop.running:
            self._loop.start(self._lease / RENEWALS, now=False)

    def stop(self) -> None:
        """Renew no more; what is held runs out."""
        if self._loop.running:
            self._loop.stop()
        for job_id in tuple(self._ends):
            self.drop(job_id)

    async def take(
        self, kinds: Sequence[JobKind], most: int, without: Sequence[int] = ()
    ) -> tuple[Job, ...]:
        """Claim jobs that can be done now.

        :raises Unavailable: the database is away.
        """
        asked = self._reactor.seconds()
        jobs = await self._table.claim(self.name, kinds, most, self._lease, without)
        for job in jobs:
            self._hold(job.id, asked)
        return jobs

    def drop(self, job_id: int) -> None:
        """Hold a job no longer."""
        end = self._ends.pop(job_id, None)
        if end is not None and end.active():
            end.cancel()

    async def release(self) -> None:
        """Let others have at once whatever was claimed by this name."""
        await self._table.release(self.name)

    def _hold(self, job_id: int, since: float) -> None:
        self.drop(job_id)
        left = max(0.0, since + self._lease - self._reactor.seconds())
        self._ends[job_id] = self._reactor.callLater(left, self._lose, job_id)

    def _lose(self, job_id: int) -> None:
        self.drop(job_id)
        log.warn("jobs: the claim on job {id} was lost", id=job_id)
        self._lost(job_id)

    def _turn(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._renew())

    async def _renew(self) -> None:
        ids = list(self._ends)
        if not ids:
            return
        asked = self._reactor.seconds()
        try:
            held = await self._table.renew(self.name, ids, self._lease)
        except Unavailable as error:
            log.debug("jobs: claims not renewed: {problem}", problem=str(error))
            return
        except Exception:
            log.failure("jobs: claims not renewed")
            return
        for job_id in ids:
            if job_id not in self._ends:
                continue
            if job_id in held:
                self._hold(job_id, asked)
            else:
                self._lose(job_id)
