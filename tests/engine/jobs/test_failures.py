"""A job that fails says why and is tried again, later each time, for ever."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine.jobs import Tell, delays
from stacksync.engine.jobs.delays import delay_after
from stacksync.errors import JobNotFound, Unavailable
from stacksync.model import Job, JobState
from tests.db.conftest import logged
from tests.db.observation import CapturedLog, until
from tests.engine.jobs.yard import Recorder, Yard

__all__ = ["logged"]

AWAY = Unavailable("storage", "503 from Swift\nand a page of HTML")


def failing(times: int, error: Exception = AWAY) -> Recorder:
    """Work that fails so many times."""
    left = [error] * times

    async def work(job: Job, tell: Tell) -> None:
        if left:
            raise left.pop()

    return Recorder(work=work)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_the_delay_doubles_up_to_the_longest(share: float) -> None:
    with patch("random.uniform", lambda low, high: {0.5: low, 1.0: high}[share]):
        delays = [delay_after(attempts, 300.0) for attempts in range(1, 12)]
        assert delays == [share * each for each in (1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300)]
        assert delay_after(10**6, 300.0) == 300.0 * share


@ensureDeferred
async def test_it_is_tried_until_it_succeeds(yard: Yard) -> None:
    recorder = failing(3)
    job_id = await yard.add()
    yard.jobs(recorder).start()

    await yard.all_done()

    assert recorder.began == [job_id] * 4
    job = await yard.job(job_id)
    assert (job.state, job.attempts, job.problem) == (JobState.DONE, 3, None)
    # Others see in the database that it is done before who did it hears so.
    await until(lambda: b'stacksync_jobs_done_total{kind="copy"} 1.0' in yard.metrics.text())
    assert b'stacksync_jobs_failed_total{kind="copy"} 3.0' in yard.metrics.text()


@ensureDeferred
async def test_it_says_what_was_in_its_way_and_when_it_is_tried_again(yard: Yard) -> None:
    job_id = await yard.add()
    behind = await yard.add()
    recorder = failing(1)
    jobs = yard.jobs(recorder, longest_delay=3600.0)
    before = yard.psql.value("SELECT now()")

    (failed,) = await jobs.run_until_idle()

    assert recorder.began == [job_id]
    assert failed.id == job_id
    assert (failed.state, failed.attempts) == (JobState.WAITING, 1)
    assert failed.problem == "storage: 503 from Swift"
    after = yard.psql.value("SELECT now()")
    again_at = yard.psql.value("SELECT run_at FROM job WHERE id = %s", job_id)
    assert before + timedelta(seconds=0.5) <= again_at <= after + timedelta(seconds=1.0)
    assert (await yard.job(behind)).attempts == 0


@ensureDeferred
async def test_a_fault_of_ours_is_logged_and_harms_no_other_job(
    yard: Yard, logged: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is looked at before its next try.
    monkeypatch.setattr(delays, "FIRST", 3600.0)
    recorder = failing(1, ValueError("sesame"))
    faulty = await yard.add("one")
    fine = await yard.add("another")
    yard.jobs(recorder, at_once=1, longest_delay=3600.0).start()

    await until(lambda: fine in recorder.done)

    job = await yard.job(faulty)
    assert job.problem == "ValueError, a fault of the service: see its log"
    (event,) = logged.errors
    assert event["log_failure"].check(ValueError)
    logged.events.clear()
    yard.psql.rows("UPDATE job SET run_at = now()")
    await yard.all_done()


@ensureDeferred
async def test_who_got_further_has_not_failed_in_vain(yard: Yard) -> None:
    async def work(job: Job, tell: Tell) -> None:
        await tell(job.progress + 1, 3)
        if job.progress < 2:
            raise AWAY

    job_id = await yard.add()
    yard.psql.rows("UPDATE job SET attempts = 20")
    yard.jobs(Recorder(work=work)).start()

    await yard.all_done()

    job = await yard.job(job_id)
    assert (job.attempts, job.progress, job.total) == (1, 3, 3)


@ensureDeferred
async def test_the_operator_need_not_wait_for_the_next_try(yard: Yard) -> None:
    recorder = failing(2)
    first, second = await yard.add("one"), await yard.add("another")
    delayed = await yard.add("a third", delay=3600)
    jobs = yard.jobs(recorder, longest_delay=3600.0, poll=3600.0)
    await jobs.run_until_idle()
    yard.psql.rows("UPDATE job SET run_at = now() + interval '1 h'")
    jobs.start()

    assert await jobs.retry(first) == [first]
    await until(lambda: yard.state(first) is JobState.DONE)
    assert await jobs.retry() == [second]
    await until(lambda: yard.state(second) is JobState.DONE)
    assert recorder.done == [first, second]
    assert yard.state(delayed) is JobState.WAITING
    for unknown in (first, 10**9):
        with pytest.raises(JobNotFound):
            await jobs.retry(unknown)


@ensureDeferred
async def test_the_database_may_go_away_meanwhile(yard: Yard, logged: CapturedLog) -> None:
    recorder = Recorder()
    yard.jobs(recorder, poll=0.02).start()
    await until(lambda: yard.psql.kill_sessions())
    job_id = yard.psql.value("SELECT job_added('copy', 'queue', '{}', NULL, NULL)")
    await yard.all_done()
    assert recorder.done == [job_id]
    assert logged.errors == []


@ensureDeferred
async def test_what_is_done_for_long_is_forgotten(yard: Yard) -> None:
    old, young = await yard.add("one"), await yard.add("another")
    await yard.jobs(Recorder()).run_until_idle()
    yard.psql.rows("UPDATE job SET finished_at = now() - interval '8 d' WHERE id = %s", old)

    yard.jobs(Recorder(), keep_done=7 * 86400.0).start()
    await until(lambda: not yard.psql.rows("SELECT FROM job WHERE id = %s", old))

    assert [each.id for each in await yard.table.list(done=True)] == [young]
    assert await yard.table.list() == ()
