"""Statements about jobs: the work that transactions leave behind.

Any instance may claim one, for as long as it keeps renewing the claim.  What a
job does, and when it is tried again, is the engine's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import orjson
from attrs import frozen

from stacksync.db.connection import Row
from stacksync.db.database import Database, Transaction
from stacksync.model import Job, JobKind, JobState

CLAIMING = 7_226_473_013
"""Key of the advisory lock that lets only one instance claim at a time.

Ids are given before their transactions commit, so of two jobs of one queue the
later one may be claimed before the earlier one can be seen.
"""

COLUMNS = """
    j.id, j.kind, j.queue, j.arguments, j.after_id, j.finished_at IS NOT NULL,
    coalesce(j.claimed_until > now(), false), j.attempts, j.run_at, j.problem, j.progress, j.total,
    j.created_at, j.finished_at
"""
"""Of a :class:`~stacksync.model.Job`, from ``job j``."""

CLAIM = f"""
    WITH runnable AS (
        SELECT j.id FROM job j
        WHERE j.finished_at IS NULL AND j.run_at <= now() AND j.kind = ANY (%(kinds)s)
            AND j.id <> ALL (%(without)s)
            AND (j.claimed_until IS NULL OR j.claimed_until <= now())
            AND NOT EXISTS (SELECT FROM job a WHERE a.id = j.after_id AND a.finished_at IS NULL)
            AND NOT EXISTS (SELECT FROM job q
                WHERE q.queue = j.queue AND q.id <> j.id AND q.finished_at IS NULL
                    AND (q.id < j.id OR q.claimed_until > now()))
        ORDER BY j.run_at, j.id LIMIT %(most)s FOR UPDATE OF j SKIP LOCKED)
    UPDATE job j SET claimed_by = %(name)s,
        claimed_until = clock_timestamp() + %(lease)s * interval '1 second'
    FROM runnable r WHERE j.id = r.id
    RETURNING {COLUMNS}
"""

HELD = "claimed_by = %(name)s AND claimed_until > now() AND finished_at IS NULL"

RETRIED = """
    UPDATE job SET run_at = now() WHERE finished_at IS NULL AND (id = %(id)s OR %(id)s IS NULL
        AND attempts > 0) RETURNING id
"""

CONCERNS = """
    SELECT EXISTS (SELECT FROM workspace w JOIN job j ON j.finished_at IS NULL
        AND j.queue = 'container:' || w.container
        WHERE w.owner_id = %s)
"""

FIGURES = """
    SELECT kind, count(*), count(*) FILTER (WHERE attempts > 0),
        coalesce(extract(epoch FROM now() - min(created_at)
            FILTER (WHERE run_at <= now() OR attempts > 0)), 0)::float8
    FROM job WHERE finished_at IS NULL GROUP BY kind ORDER BY kind
"""


@frozen
class JobFigures:
    """How the unfinished jobs of one kind stand.

    :ivar failing: those whose last try failed.
    :ivar oldest: seconds since the oldest was made that need not wait for its time.
    """

    kind: str
    unfinished: int
    failing: int
    oldest: float


def job(row: Row) -> Job:
    """A job from the columns :data:`COLUMNS`."""
    identity, kind, queue, arguments, after_id, is_done, is_claimed, *others = row
    running = JobState.RUNNING if is_claimed else JobState.WAITING
    state = JobState.DONE if is_done else running
    return Job(identity, kind_of(kind), queue, arguments, after_id, state, *others)


def kind_of(text: str) -> JobKind:
    """The kind, or the bare text of one that only another version of StackSync knows."""
    return JobKind(text) if text in set(JobKind) else cast(JobKind, text)


class JobTable:
    """The ``job`` table.

    ``name`` is what an instance claims by: its own, and nobody else's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        transaction: Transaction,
        kind: JobKind,
        queue: str,
        arguments: Mapping[str, Any],
        *,
        after_id: int | None = None,
        delay: float = 0.0,
    ) -> int:
        """Leave a job behind, if the transaction is committed; its id.

        :param queue: jobs of one queue run one after the other.
        :param after_id: a job that has to be done first.
        :param delay: seconds to wait at least.
        """
        rows = await transaction.query(
            "SELECT job_added(%s, %s, %s::jsonb, %s::bigint, %s * interval '1 second')",
            [kind.value, queue, orjson.dumps(arguments).decode(), after_id, delay],
        )
        added: int = rows[0][0]
        return added

    async def claim(
        self,
        name: str,
        kinds: Sequence[JobKind],
        most: int,
        lease: float,
        without: Sequence[int] = (),
    ) -> tuple[Job, ...]:
        """Take jobs that can be done now, for ``lease`` seconds.

        :param without: jobs that are not wanted.
        :raises Unavailable: the database is away.
        """
        arguments = {
            "name": name,
            "kinds": list(map(str, kinds)),
            "most": most,
            "lease": lease,
            "without": list(without),
        }

        async def work(transaction: Transaction) -> tuple[Job, ...]:
            await transaction.query("SELECT pg_advisory_xact_lock(%s)", [CLAIMING])
            return tuple(map(job, await transaction.query(CLAIM, arguments)))

        return await self._database.transaction("claim jobs", work)

    async def renew(self, name: str, ids: Sequence[int], lease: float) -> set[int]:
        """Go on holding jobs; those that still were held."""
        rows = await self._database.query(
            "renew claims",
            "UPDATE job SET claimed_until = now() + %(lease)s * interval '1 second'"
            f" WHERE id = ANY (%(ids)s) AND {HELD} RETURNING id",
            {"name": name, "ids": list(ids), "lease": lease},
            repeatable=True,
        )
        return {row[0] for row in rows}

    async def tell(self, name: str, job_id: int, progress: int, total: int) -> None:
        """Note how far a job has come."""
        await self._database.query(
            "note progress",
            f"UPDATE job SET progress = %(progress)s, total = %(total)s"
            f" WHERE id = %(id)s AND {HELD}",
            {"name": name, "id": job_id, "progress": progress, "total": total},
            repeatable=True,
        )

    async def finish(self, name: str, job_id: int) -> None:
        """Note that a job is done, unless the claim is lost."""
        await self._database.query(
            "finish job",
            "UPDATE job SET finished_at = now(), claimed_by = NULL, claimed_until = NULL,"
            f" problem = NULL WHERE id = %(id)s AND {HELD}",
            {"name": name, "id": job_id},
            repeatable=True,
        )

    async def fail(self, name: str, job_id: int, attempts: int, problem: str, delay: float) -> None:
        """Let a job wait for another try, unless the claim is lost."""
        await self._database.query(
            "fail job",
            "UPDATE job SET attempts = %(attempts)s, problem = %(problem)s, claimed_by = NULL,"
            " claimed_until = NULL, run_at = now() + %(delay)s * interval '1 second'"
            f" WHERE id = %(id)s AND {HELD}",
            {"name": name, "id": job_id, "attempts": attempts, "problem": problem, "delay": delay},
            repeatable=True,
        )

    async def release(self, name: str) -> None:
        """Let go of all that an instance holds, for others to go on with at once."""
        await self._database.query(
            "release jobs",
            f"UPDATE job SET claimed_by = NULL, claimed_until = NULL WHERE {HELD}",
            {"name": name},
            repeatable=True,
        )

    async def note_unknown(self, kinds: Sequence[JobKind], problem: str) -> None:
        """Say of jobs of other kinds than these why they wait."""
        await self._database.query(
            "note unknown jobs",
            "UPDATE job SET problem = %(problem)s WHERE finished_at IS NULL"
            " AND kind <> ALL (%(kinds)s) AND problem IS DISTINCT FROM %(problem)s",
            {"kinds": list(map(str, kinds)), "problem": problem},
            repeatable=True,
        )

    async def forget(self, keep: float) -> int:
        """Remove jobs that have been done for ``keep`` seconds; how many."""
        rows = await self._database.query(
            "forget jobs",
            "DELETE FROM job WHERE finished_at < now() - %s * interval '1 second' RETURNING 1",
            [keep],
            repeatable=True,
        )
        return len(rows)

    async def list(self, *, done: bool = False) -> tuple[Job, ...]:
        """Jobs by id: those that are not done yet, or all."""
        rows = await self._database.query(
            "list jobs",
            f"SELECT {COLUMNS} FROM job j WHERE finished_at IS NULL OR %s ORDER BY id",
            [done],
            repeatable=True,
        )
        return tuple(map(job, rows))

    async def by_id(self, job_id: int) -> Job | None:
        rows = await self._database.query(
            "read job", f"SELECT {COLUMNS} FROM job j WHERE id = %s", [job_id], repeatable=True
        )
        return job(rows[0]) if rows else None

    async def concerns(self, account_id: UUID) -> bool:
        """Whether a container of this account's workspaces is not as it has to be yet.

        What is still to be copied into one does not count.
        """
        rows = await self._database.query("look for jobs", CONCERNS, [account_id], repeatable=True)
        return bool(rows[0][0])

    async def retry(self, job_id: int | None) -> Sequence[int]:
        """Let a job, or all that have failed, wait no longer; their ids."""
        rows = await self._database.query("retry jobs", RETRIED, {"id": job_id}, repeatable=True)
        return sorted(row[0] for row in rows)

    async def figures(self) -> tuple[JobFigures, ...]:
        """How the unfinished jobs stand, by kind."""
        rows = await self._database.query("count jobs", FIGURES, repeatable=True)
        return tuple(JobFigures(*row) for row in rows)
