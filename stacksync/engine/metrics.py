"""What an instance tells of itself: what it has counted, and what the database says by now."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.logger import Logger

from stacksync.db.jobs import JobTable
from stacksync.errors import Unavailable
from stacksync.metrics import Metrics

log = Logger()

KEPT = 5.0
"""Seconds for which what the database said is told again."""

PATIENCE = 2.0
"""Seconds that the database has for its answer."""


class Measurements:
    """Measures when somebody asks, and not too often."""

    def __init__(self, reactor: Any, jobs: JobTable, metrics: Metrics) -> None:
        self._reactor = reactor
        self._jobs = jobs
        self._metrics = metrics
        self._asked: float | None = None

    async def text(self) -> bytes:
        """All numbers in Prometheus' text format (:data:`stacksync.metrics.CONTENT_TYPE`).

        What the database does not say in time is left out.
        """
        now = self._reactor.seconds()
        if self._asked is None or now - self._asked >= KEPT:
            self._asked = now
            await self._ask()
        return self._metrics.text()

    async def _ask(self) -> None:
        metrics = self._metrics
        gauges = (metrics.jobs_unfinished, metrics.jobs_failing, metrics.jobs_oldest)
        asking = Deferred.fromCoroutine(self._jobs.figures())
        try:
            figures = await asking.addTimeout(PATIENCE, self._reactor)
        except (Unavailable, DeferredTimeout) as error:
            log.debug("metrics: {problem}", problem=str(error))
            figures = ()
        for gauge in gauges:
            gauge.clear()
        for each in figures:
            metrics.jobs_unfinished.labels(each.kind).set(each.unfinished)
            metrics.jobs_failing.labels(each.kind).set(each.failing)
            metrics.jobs_oldest.labels(each.kind).set(each.oldest)
