"""What this instance counts and measures, in the words of Prometheus.

One registry for each service, not the process's own, so that several may live
in one process.  Nobody is asked for anything here: who knows a number sets it.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Metrics:
    """The instruments of one service.

    :ivar jobs_unfinished: of all instances, by kind; so are the next two.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.jobs_done = self._counter("jobs_done", "Jobs that this instance has done", "kind")
        self.jobs_failed = self._counter(
            "jobs_failed", "Tries of this instance at a job that failed", "kind"
        )
        self.chunks_copied = self._counter(
            "chunks_copied", "Chunks that this instance has brought into another container"
        )
        self.chunks_missed = self._counter(
            "chunks_missed", "Chunks that were to be copied, and that no container has"
        )
        self.jobs_unfinished = self._gauge("jobs_unfinished", "Jobs that are not done yet", "kind")
        self.jobs_failing = self._gauge(
            "jobs_failing", "Jobs that are not done yet and whose last try failed", "kind"
        )
        self.jobs_oldest = self._gauge(
            "jobs_oldest_seconds", "The age of the oldest job that could be done by now", "kind"
        )

    def text(self) -> bytes:
        """All numbers in Prometheus' text format, of the type :data:`CONTENT_TYPE`."""
        return generate_latest(self._registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"stacksync_{name}", meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"stacksync_{name}", meaning, labels, registry=self._registry)
