"""An instance is killed in the middle of a job, and another one goes on with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from stacksync.db.chunk_copies import ChunkCopyTable
from stacksync.engine.jobs.copy import PAGE, CopyJobs
from stacksync.model import JobKind, JobState
from stacksync.storage import DiskStore
from stacksync.streams import BytesStream
from tests.db.builders import World
from tests.engine.jobs import killed_while_copying
from tests.engine.jobs.yard import Yard

AT_ONCE = 4
CHUNKS = 2 * PAGE + 20
REPOSITORY = Path(__file__).parents[3]


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", killed_while_copying.__name__, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    )


@ensureDeferred
async def test_another_instance_finishes_what_a_killed_one_has_begun(
    yard: Yard, tmp_path: Path
) -> None:
    await World(yard.database).user()
    yard.psql.rows("DELETE FROM job")
    container = str(yard.psql.value("SELECT container FROM workspace"))
    store = DiskStore(reactor, tmp_path)
    store.start()
    await store.create_container("before")
    for number in range(CHUNKS):
        await store.put("before", f"chunk {number}", BytesStream(b"%d" % number))
        yard.psql.rows(
            "INSERT INTO chunk_copy VALUES (%s, %s, 'before')", container, f"chunk {number}"
        )
    job_id = await yard.add(f"content:{container}", container=container)
    process = start(yard.psql.dsn, str(tmp_path), str(PAGE + 30))
    try:
        assert process.stdout is not None
        assert await deferToThread(process.stdout.readline) == "in the middle\n"
        assert yard.state(job_id) is JobState.RUNNING
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    # However long it takes: the claim runs out.
    yard.psql.rows("UPDATE job SET claimed_until = now()")

    handler = CopyJobs(ChunkCopyTable(yard.database), store, AT_ONCE, yard.metrics)
    yard.jobs(handler, [JobKind.COPY]).start()
    await yard.all_done()

    assert {each.name for each in await store.list(container)} == {
        f"chunk {number}" for number in range(CHUNKS)
    }
    assert yard.psql.value("SELECT count(*) FROM chunk_copy") == 0
    job = await yard.job(job_id)
    assert (job.attempts, job.progress, job.total) == (0, CHUNKS, CHUNKS)
    # What was there is not copied again; a few were on their way.
    copied = yard.metrics.chunks_copied.collect()[0].samples[0].value
    assert CHUNKS - PAGE - 30 <= copied <= CHUNKS - PAGE - 30 + AT_ONCE
    await yard.stop()
    await store.stop()
