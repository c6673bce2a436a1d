"""The numbers of an instance: what it has counted, and what the database says."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import Clock

from stacksync.config import DatabaseConfig
from stacksync.db.database import Database
from stacksync.db.jobs import JobTable
from stacksync.engine.metrics import KEPT, Measurements
from stacksync.metrics import Metrics
from tests.db.conftest import deserted_url
from tests.db.observation import Psql

__all__ = ["deserted_url"]


def numbers(text: bytes) -> dict[str, float]:
    """The samples, by name and labels."""
    lines = [line for line in text.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@ensureDeferred
async def test_jobs_are_counted_by_kind_and_by_how_they_stand(database_dsn: str) -> None:
    psql, clock = Psql(database_dsn), Clock()
    database = Database(reactor, DatabaseConfig(url=database_dsn))
    database.start()
    for kind, attempts, age in (("copy", 0, 60), ("copy", 2, 600), ("notify", 0, 1)):
        psql.rows(
            "INSERT INTO job (kind, queue, arguments, attempts, created_at)"
            " VALUES (%s, 'q', '{}', %s, now() - %s * interval '1 s')",
            kind, attempts, age,
        )  # fmt: skip
    psql.rows(
        "INSERT INTO job (kind, queue, arguments, created_at, run_at)"
        " VALUES ('remove-container', 'q', '{}', now() - interval '1 h', now() + interval '1 h')"
    )
    measurements = Measurements(clock, JobTable(database), Metrics())

    found = numbers(await measurements.text())

    assert found['stacksync_jobs_unfinished{kind="copy"}'] == 2
    assert found['stacksync_jobs_failing{kind="copy"}'] == 1
    assert 600 <= found['stacksync_jobs_oldest_seconds{kind="copy"}'] < 660
    assert found['stacksync_jobs_unfinished{kind="remove-container"}'] == 1
    # It waits for its time, which is not over.
    assert found['stacksync_jobs_oldest_seconds{kind="remove-container"}'] == 0
    assert found["stacksync_chunks_copied_total"] == 0
    psql.rows("DELETE FROM job")
    assert numbers(await measurements.text())['stacksync_jobs_unfinished{kind="copy"}'] == 2
    clock.advance(KEPT)
    assert 'stacksync_jobs_unfinished{kind="copy"}' not in numbers(await measurements.text())
    database.stop()
    psql.close()


@ensureDeferred
async def test_without_the_database_there_are_the_other_numbers(deserted_url: str) -> None:
    metrics = Metrics()
    metrics.jobs_done.labels("copy").inc()
    database = Database(reactor, DatabaseConfig(url=deserted_url, wait_timeout=0.05))
    database.start()
    found = numbers(await Measurements(reactor, JobTable(database), metrics).text())
    assert found['stacksync_jobs_done_total{kind="copy"}'] == 1
    database.stop()
