"""Commits per second, latency, and a large commit, through both protocols."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import asdict

from bench.driver import DriverFailed, Measured, run_driver
from bench.extent import Extent
from bench.stage import Stage
from bench.users import User, sign_in

SLACK_SECONDS = 60.0
MOST_SECONDS = 60.0
"""For what is measured until there are enough samples."""

LATENCY_WARM_UP = 1.0


class CommitBenchmark:
    """Runs the drivers that commit.

    Every method checks that the database holds as many new versions as were
    sent and told.

    :param users: they commit in turn.
    """

    def __init__(self, stage: Stage, extent: Extent, users: list[User]) -> None:
        self._stage = stage
        self._extent = extent
        self._users = users

    def throughput(
        self,
        via: str,
        seconds: float | None = None,
        profile: Path | None = None,
        in_flight: int | None = None,
    ) -> Measured:
        """Many commits of one new file at a time.

        :param via: ``amqp`` or ``http``.
        :param seconds: how long; left out, as the extent says; and so ``in_flight``.
        :param profile: where to put the server's stacks meanwhile.
        """
        return self._run(
            via,
            window=in_flight or self._extent.window,
            warm_up=self._extent.warm_up,
            seconds=seconds or self._extent.throughput,
            profile=profile,
        )

    def latency(self, via: str) -> Measured:
        """One commit of one new file at a time: AMQP to notification, HTTP to answer."""
        return self._run(
            via,
            window=1,
            warm_up=LATENCY_WARM_UP,
            seconds=MOST_SECONDS,
            samples=self._extent.latency_samples,
        )

    def batch(self, via: str) -> Measured:
        """One commit of many new files at a time."""
        return self._run(
            via,
            window=1,
            warm_up=LATENCY_WARM_UP,
            seconds=MOST_SECONDS,
            samples=self._extent.batches,
            items=self._extent.batch_items,
        )

    def _run(
        self,
        via: str,
        *,
        window: int,
        warm_up: float,
        seconds: float,
        samples: int = 0,
        items: int = 1,
        profile: Path | None = None,
    ) -> Measured:
        if via == "http":
            sign_in(self._stage, self._users)
        self._stage.settle()
        before = self._versions()
        job: dict[str, Any] = {
            "users": [asdict(user) for user in self._users],
            "amqp_url": self._stage.amqp_url,
            "http_port": int(self._stage.server.http_url.rpartition(":")[2]),
            "process_ids": self._stage.process_ids,
            "window": window,
            "warm_up": warm_up,
            "seconds": seconds,
            "samples": samples,
            "items": items,
            "profile": None if profile is None else str(profile),
        }
        measured = run_driver(f"{via}_driver", job, warm_up + seconds + SLACK_SECONDS)
        measured |= {"window": window, "items": items}
        check(measured, (self._versions() - before) / items)
        return measured

    def _versions(self) -> int:
        return self._stage.execute("SELECT count(*) FROM item_version") or 0


def check(measured: Measured, committed: float) -> None:
    """A measurement counts only if every request was committed and told, once.

    :raises DriverFailed: it was not so; says what happened.
    """
    faults = {name: count for name, count in measured["faults"].items() if count}
    untold = {name: count for name, count in measured.get("untold", {}).items() if count}
    if faults or untold or committed != measured["sent"]:
        raise DriverFailed(
            f"of {measured['sent']} requests {committed:g} were committed; "
            f"answers: {faults or 'all right'}; notifications: {untold or 'all right'}"
        )
