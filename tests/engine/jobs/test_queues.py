"""Which jobs are done when, and by how many at a time."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import deferLater

from stacksync.engine.jobs import Tell
from stacksync.model import Job, JobKind, JobState
from tests.db.observation import until
from tests.engine.jobs.yard import Recorder, Stalled, Yard


async def moment(job: Job, tell: Tell) -> None:
    await deferLater(reactor, 0.002)


@ensureDeferred
async def test_a_job_is_done_once_it_is_committed(yard: Yard) -> None:
    recorder = Recorder()
    jobs = yard.jobs(recorder, poll=60.0)
    jobs.start()
    await until(lambda: not jobs._looking)

    async def work(transaction) -> int:  # type: ignore[no-untyped-def]
        transaction.after_commit(jobs.wake)
        return await yard.table.add(transaction, JobKind.COPY, "queue", {"container": "c"})

    job_id = await yard.database.transaction("add job", work)
    await yard.all_done()

    assert recorder.done == [job_id]
    job = await yard.job(job_id)
    assert (job.state, job.attempts, job.problem) == (JobState.DONE, 0, None)
    assert job.arguments == {"container": "c"}


@ensureDeferred
async def test_two_instances_never_do_the_same_job_nor_two_of_one_queue(yard: Yard) -> None:
    recorder = Recorder(work=moment)
    ids = [await yard.add(f"queue {number % 7}") for number in range(60)]
    for _ in range(2):
        yard.jobs(recorder, at_once=5).start()

    await yard.all_done()

    assert sorted(recorder.began) == sorted(recorder.done) == ids
    assert recorder.clashes == []
    assert recorder.most > 1
    for queue in range(7):
        assert [each for each in recorder.began if each in ids[queue::7]] == ids[queue::7]


@ensureDeferred
async def test_at_most_so_many_are_done_at_once(yard: Yard) -> None:
    recorder = Recorder(work=moment)
    for number in range(12):
        await yard.add(f"queue {number}")
    yard.jobs(recorder, at_once=3).start()

    await yard.all_done()

    assert recorder.most == 3


@ensureDeferred
async def test_a_job_waits_for_the_one_that_it_comes_after(yard: Yard) -> None:
    stalled = Stalled()
    recorder = Recorder(work=stalled)
    first = await yard.add("one")
    second = await yard.add("another", after=first)
    yard.jobs(recorder).start()
    await until(lambda: stalled.waiting)

    assert recorder.began == [first]
    stalled.go_on()
    await until(lambda: stalled.waiting)
    assert recorder.began == [first, second]
    stalled.go_on()
    await yard.all_done()


@ensureDeferred
async def test_what_comes_after_a_job_that_is_long_gone_is_done(yard: Yard) -> None:
    job_id = await yard.add(after=10**9)
    recorder = Recorder()
    assert await yard.jobs(recorder).run_until_idle() == ()
    assert recorder.done == [job_id]


@ensureDeferred
async def test_a_delayed_job_waits_for_its_time_and_holds_its_queue_up(yard: Yard) -> None:
    delayed = await yard.add("one", delay=3600)
    behind = await yard.add("one")
    other = await yard.add("another")
    recorder = Recorder()

    await yard.jobs(recorder).run_until_idle()

    assert recorder.done == [other]
    yard.psql.rows("UPDATE job SET run_at = now() WHERE id = %s", delayed)
    await yard.jobs(recorder).run_until_idle()
    assert recorder.done == [other, delayed, behind]


@ensureDeferred
async def test_an_earlier_job_that_shows_up_late_waits_for_the_one_that_was_begun(
    yard: Yard,
) -> None:
    stalled = Stalled()
    recorder = Recorder(work=stalled)
    later = await yard.add()
    yard.jobs(recorder).start()
    await until(lambda: stalled.waiting)
    yard.psql.rows(
        "INSERT INTO job (id, kind, queue, arguments) OVERRIDING SYSTEM VALUE"
        " VALUES (%s, 'copy', 'queue', '{}')",
        later - 1,
    )
    yard.jobs(recorder).start()
    other = await yard.add("another")
    await until(lambda: other in recorder.began)

    assert recorder.began == [later, other]
    while recorder.began != [later, other, later - 1]:
        stalled.go_on()
        await deferLater(reactor, 0.01)
    assert recorder.clashes == []
    stalled.go_on()
    await yard.all_done()


@ensureDeferred
async def test_jobs_of_a_kind_nobody_knows_are_left_alone_and_say_why(yard: Yard) -> None:
    strange = yard.psql.value(
        "INSERT INTO job (kind, queue, arguments) VALUES ('conjure', 'queue', '{}') RETURNING id"
    )
    recorder = Recorder()
    known = await yard.add("another")
    yard.jobs(recorder).start()

    await until(lambda: yard.psql.value("SELECT problem FROM job WHERE id = %s", strange))

    await until(lambda: recorder.done == [known])
    job = await yard.job(strange)
    assert (job.kind, job.state, job.attempts) == ("conjure", JobState.WAITING, 0)
    assert job.problem == "this kind of job is known to another version of StackSync only"


@ensureDeferred
async def test_commands_leave_notifications_to_the_service(yard: Yard) -> None:
    told = await yard.add("notify", JobKind.NOTIFY)
    copied = await yard.add("content")
    recorder = Recorder()

    await yard.jobs(recorder).run_until_idle()

    assert recorder.done == [copied]
    await yard.jobs(recorder).run_until_idle([JobKind.NOTIFY])
    assert recorder.done == [copied, told]
