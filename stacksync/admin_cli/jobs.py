"""``stacksync-admin jobs``: the work that requests left behind, and what is in its way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.output import Answer, table
from stacksync.admin_cli.session import engine
from stacksync.config import Config
from stacksync.engine import Engine
from stacksync.errors import NotFound
from stacksync.model import Job, JobState

ARGUMENTS = ("container", "workspace_id", "user_id", "event")
"""What a job is about; the first of these that it has is told in lists."""


async def look_after_jobs(reactor: Any, config: Config, arguments: Arguments) -> Answer:
    """List, show or retry jobs; the service does them."""
    async with engine(reactor, config) as opened:
        return await VERBS[arguments.verb](opened.engine, arguments)


async def list_jobs(engine: Engine, arguments: Arguments) -> Answer:
    jobs = await engine.jobs.list(done=arguments.all)
    rows = [("Id", "Kind", "About", "State", "Progress", "Tries", "Problem")]
    rows += [
        (
            str(each.id),
            str(each.kind),
            about(each),
            each.state.value,
            progress(each),
            str(each.attempts),
            each.problem or "",
        )
        for each in jobs
    ]
    lines = table(rows) if jobs else ["There is nothing to do."]
    return Answer({"jobs": [job_json(each) for each in jobs]}, lines)


async def show_job(engine: Engine, arguments: Arguments) -> Answer:
    assert arguments.id is not None
    job = await engine.jobs.show(arguments.id)
    previous = await predecessor(engine, job)
    return Answer(job_json(job), table(description(job, previous, datetime.now(UTC))))


async def retry_jobs(engine: Engine, arguments: Arguments) -> Answer:
    retried = await engine.jobs.retry(None if arguments.all else arguments.id)
    lines = [f"Job {each} is tried again as soon as the service looks." for each in retried]
    return Answer({"retried": list(retried)}, lines or ["No job waits for another try."])


VERBS = {"list": list_jobs, "show": show_job, "retry": retry_jobs}


async def predecessor(engine: Engine, job: Job) -> Job | None:
    """The job that has to be done first, if it is not done yet."""
    if job.after_id is None:
        return None
    try:
        found = await engine.jobs.show(job.after_id)
    except NotFound:
        return None
    return None if found.state is JobState.DONE else found


def description(job: Job, previous: Job | None, now: datetime) -> list[tuple[str, str]]:
    rows = [
        ("Id", str(job.id)),
        ("Kind", str(job.kind)),
        ("State", job.state.value),
        ("Queue", job.queue),
        *(
            (name.replace("_", " ").capitalize(), str(job.arguments[name]))
            for name in job.arguments
        ),
    ]
    if progress(job):
        rows.append(("Progress", f"{progress(job)} chunks"))
    if previous is not None:
        rows.append(("After", f"job {previous.id} ({previous.kind}), which is not done yet"))
    rows.append(("Tries", f"{job.attempts} in vain" if job.attempts else "none in vain"))
    if job.problem:
        rows.append(("Problem", job.problem))
    if job.state is JobState.WAITING:
        rows.append(("Next try", when(job.run_at, now)))
    rows.append(("Created", moment(job.created_at)))
    if job.finished_at is not None:
        rows.append(("Done", moment(job.finished_at)))
    return rows


def about(job: Job) -> str:
    return str(next((job.arguments[name] for name in ARGUMENTS if name in job.arguments), ""))


def progress(job: Job) -> str:
    return f"{job.progress:,} of {job.total:,}" if job.total is not None else ""


def when(time: datetime, now: datetime) -> str:
    seconds = (time - now).total_seconds()
    return f"in {seconds:.0f} s, {moment(time)}" if seconds > 0 else "as soon as the service can"


def moment(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def job_json(job: Job) -> dict[str, Any]:
    times: Sequence[tuple[str, datetime | None]] = (
        ("run_at", job.run_at),
        ("created_at", job.created_at),
        ("finished_at", job.finished_at),
    )
    return {
        "id": job.id,
        "kind": str(job.kind),
        "queue": job.queue,
        "arguments": job.arguments,
        "after_id": job.after_id,
        "state": job.state.value,
        "attempts": job.attempts,
        "problem": job.problem,
        "progress": job.progress,
        "total": job.total,
        **{
            name: time.isoformat(timespec="milliseconds") if time is not None else None
            for name, time in times
        },
    }
