"""Items that go to another workspace, with their content and their use of the quota.

The one way by which they do: when a folder is shared or shared no more, and
when a member moves something into a shared folder, out of it, or between two.
"""

from __future__ import annotations

from uuid import UUID

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from stacksync.db.commits import CommitTable
from stacksync.db.database import Transaction
from stacksync.db.moves import Move, Moved, move_subtree
from stacksync.engine.notifier import Notifier
from stacksync.engine.sharing.jobs import ShareJobs
from stacksync.errors import NameTaken, QuotaExceeded, Unavailable
from stacksync.events import Committed
from stacksync.model import Refusal, Workspace

log = Logger()


@frozen
class Arrival:
    """What a move has made, and the job that brings its chunks."""

    moved: Moved
    copy_job: int


class Moves:
    """Moves subtrees, and tells who was there before and who is there now."""

    def __init__(self, commits: CommitTable, jobs: ShareJobs, notifier: Notifier) -> None:
        self._commits = commits
        self._jobs = jobs
        self._notifier = notifier

    async def carry_out(
        self,
        transaction: Transaction,
        move: Move,
        source: Workspace,
        target: Workspace,
        *,
        after_job: int | None = None,
    ) -> Arrival:
        """Move within a transaction that has locked both workspaces.

        :param after_job: makes the target's container.
        :raises NameTaken: somebody has the name there.
        :raises QuotaExceeded: the target's owner has no room for it.
        """
        answer = await move_subtree(transaction, move)
        if not isinstance(answer, Moved):
            if answer.refusal is Refusal.QUOTA:
                raise QuotaExceeded(
                    f"of the quota of {target.owner.quota_limit} bytes"
                    f" {target.owner.quota_left} are left: too few for what is to be moved"
                )
            raise name_taken(move.name)
        copy_job = await self._jobs.copy(transaction, target.container, after_job)
        transaction.after_commit(lambda: self._tell_later(source.id, answer.source_revision))
        transaction.after_commit(lambda: self._tell_later(target.id, answer.target_revision))
        return Arrival(answer, copy_job)

    def _tell_later(self, workspace_id: UUID, revision: int) -> None:
        """Announce in the background what has gone from a workspace, or has come there."""

        def failed(failure: Failure) -> None:
            if failure.check(Unavailable):
                log.info("not announced now: {problem}", problem=str(failure.value))
            else:
                log.failure("could not announce a move", failure)

        Deferred.fromCoroutine(self._tell(workspace_id, revision)).addErrback(failed)

    async def _tell(self, workspace_id: UUID, revision: int) -> None:
        results = await self._commits.results_since(workspace_id, revision - 1)
        for result in results:
            self._notifier.announce_later(Committed(result))
        if not results:
            self._notifier.touched(workspace_id, revision)


def name_taken(name: str) -> NameTaken:
    return NameTaken(f"there is an item or a shared folder named {name!r} in this folder already")
