"""A job is held by one instance, as long as that lives."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from stacksync.engine.jobs import Tell
from stacksync.model import Job, JobState
from tests.db.conftest import logged
from tests.db.observation import CapturedLog, until
from tests.engine.jobs.yard import Recorder, Stalled, Yard

__all__ = ["logged"]


@ensureDeferred
async def test_a_claim_is_renewed_as_long_as_the_job_goes_on(yard: Yard) -> None:
    clock = Clock()
    stalled = Stalled()
    recorder = Recorder(work=stalled)
    job_id = await yard.add()
    yard.jobs(recorder, clock=clock, lease=30.0).start()
    await until(lambda: stalled.waiting)
    other = Recorder()
    yard.jobs(other).start()

    def held_until() -> float:
        return max(call.getTime() for call in clock.getDelayedCalls())

    first = yard.psql.value("SELECT claimed_until FROM job")
    # Well beyond the end of the first claim, by the clock of who holds it.
    for _ in range(5):
        clock.advance(10.0)
        await until(lambda: held_until() == clock.seconds() + 30.0)

    assert yard.psql.value("SELECT claimed_until > %s FROM job", first)
    assert recorder.cancelled == []
    assert other.began == []
    stalled.go_on()
    await yard.all_done()
    assert recorder.done == [job_id]


@ensureDeferred
async def test_who_does_not_renew_loses_the_job_and_stops_doing_it(
    yard: Yard, logged: CapturedLog
) -> None:
    clock = Clock()
    stalled = Stalled()
    slow = Recorder(work=stalled)
    job_id = await yard.add()
    yard.jobs(slow, clock=clock, lease=0.3).start()
    await until(lambda: slow.began)
    other = Recorder()
    # His clock stands still: nothing is renewed.
    yard.jobs(other).start()

    await yard.all_done()

    assert other.done == [job_id]
    assert slow.cancelled == []
    clock.advance(0.3)
    await until(lambda: slow.cancelled == [job_id])
    assert slow.done == []
    assert logged.lines_about(f"the claim on job {job_id} was lost")


@ensureDeferred
async def test_what_somebody_else_took_is_given_up_at_the_next_renewal(yard: Yard) -> None:
    clock = Clock()
    stalled = Stalled()
    recorder = Recorder(work=stalled)
    job_id = await yard.add()
    yard.jobs(recorder, clock=clock, lease=30.0).start()
    await until(lambda: stalled.waiting)

    yard.psql.rows("UPDATE job SET claimed_by = 'another', claimed_until = now() + interval '1 h'")
    clock.advance(10.0)

    await until(lambda: recorder.cancelled == [job_id])
    assert yard.psql.value("SELECT claimed_by FROM job") == "another"
    assert yard.psql.value("SELECT attempts FROM job") == 0


@ensureDeferred
async def test_who_stops_lets_others_go_on_at_once(yard: Yard) -> None:
    stalled = Stalled()
    recorder = Recorder(work=stalled)
    job_id = await yard.add()
    jobs = yard.jobs(recorder)
    jobs.start()
    await until(lambda: stalled.waiting)
    assert yard.state(job_id) is JobState.RUNNING

    await jobs.stop()

    assert recorder.cancelled == [job_id]
    job = await yard.job(job_id)
    assert (job.state, job.attempts, job.problem) == (JobState.WAITING, 0, None)
    other = Recorder()
    assert await yard.jobs(other).run_until_idle() == ()
    assert other.done == [job_id]


@ensureDeferred
async def test_what_is_being_claimed_when_it_stops_is_let_go_as_well(yard: Yard) -> None:
    job_id = await yard.add()
    recorder = Recorder()
    jobs = yard.jobs(recorder)
    jobs.start()
    assert jobs._looking is not None

    await jobs.stop()

    assert recorder.began == []
    assert yard.state(job_id) is JobState.WAITING


@ensureDeferred
async def test_progress_is_told_only_by_who_holds_the_job(yard: Yard) -> None:
    async def work(job: Job, tell: Tell) -> None:
        await tell(3, 10)
        yard.psql.rows("UPDATE job SET claimed_by = 'another'")
        await tell(4, 10)

    job_id = await yard.add()
    await yard.jobs(Recorder(work=work)).run_until_idle()
    job = await yard.job(job_id)
    assert (job.progress, job.total, job.state) == (3, 10, JobState.RUNNING)
