"""The course of a closed-loop measurement: warm up, measure, wait for the rest.

What is common to both protocols.  Whoever drives keeps its requests in flight
and asks :attr:`Measurement.sending` before each further one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater

from bench.driver import Job, Measured
from bench.ledger import Ledger, milliseconds
from bench.processor import Usage
from bench.profiling import Recorder

LOOK_SECONDS = 0.05
DRAIN_SECONDS = 15.0
STRAY_SECONDS = 0.3
"""How long to listen for duplicates after everything has ended."""


class Measurement:
    """One measurement.

    Reads from the job: ``warm_up`` and ``seconds`` of measuring, ``samples``
    after which to stop earlier (0: never), ``process_ids`` whose processor
    time to look at, ``profile`` (where to put the server's stacks, or null).
    """

    def __init__(self, reactor: Any, ledger: Ledger, job: Job) -> None:
        self._reactor = reactor
        self._ledger = ledger
        self._job = job
        self.sending = True

    async def run(self, finished: Callable[[], bool]) -> Measured:
        """Measure requests that are being sent already.

        :param finished: whether everything that was sent has ended.
        """
        job, ledger = self._job, self._ledger
        await deferLater(self._reactor, job["warm_up"])
        recorder = self._record()
        processes = {**job["process_ids"], "driver": os.getpid()}
        before = Usage.now(processes)
        ledger.measuring = True
        await self._until(self._enough, job["seconds"])
        ledger.measuring = False
        after = Usage.now(processes)
        self.sending = False
        await self._until(finished, DRAIN_SECONDS)
        await deferLater(self._reactor, STRAY_SECONDS)
        if recorder is not None:
            recorder.wait()
        rate = len(ledger.durations) / (after.at - before.at)
        cores = after.cores_since(before)
        return {
            "seconds": after.at - before.at,
            "sent": ledger.sent,
            "per_second": rate,
            "milliseconds": milliseconds(ledger.durations),
            "faults": ledger.faults,
            "cores": cores,
            "processor_microseconds_each": {name: 1e6 * cores[name] / rate for name in processes},
        }

    def _record(self) -> Recorder | None:
        profile = self._job["profile"]
        if profile is None:
            return None
        return Recorder(self._job["process_ids"]["server"], self._job["seconds"], profile)

    def _enough(self) -> bool:
        samples: int = self._job["samples"]
        return 0 < samples <= len(self._ledger.durations)

    async def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait until the condition holds, but no longer than so many seconds."""
        done: Deferred[None] = Deferred()
        end = self._reactor.seconds() + seconds

        def look() -> None:
            if not done.called and (condition() or self._reactor.seconds() >= end):
                done.callback(None)

        looking = LoopingCall(look)
        looking.clock = self._reactor
        looking.start(LOOK_SECONDS)
        await done
        looking.stop()
