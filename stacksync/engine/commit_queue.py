"""Waiting commits share transactions.

When commits come faster than one transaction each would allow, those that
wait go to the database together: one round trip, one flush to disk for all.
Nobody is made to wait for company: neither for its coming, nor for what holds
it up.  Commits to one workspace keep their order and never wait for one another
inside the database.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol
from uuid import UUID

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from stacksync.db.commits import ReadyRequest, RequestRefused
from stacksync.errors import Unavailable
from stacksync.model import CommitResult

Answer = CommitResult | RequestRefused

REQUESTS_PER_TRANSACTION = 32
CHANGES_PER_TRANSACTION = 256
"""Not counting the first request: a large one goes alone."""


class CommitTransaction(Protocol):
    """What runs a group of commits; :class:`stacksync.db.commits.CommitTable` does."""

    async def commit(self, ready: Sequence[ReadyRequest]) -> list[Answer]: ...
    async def commit_unheld(self, ready: Sequence[ReadyRequest]) -> list[Answer | None]: ...


@define(eq=False)
class Waiting:
    ready: ReadyRequest
    answer: Deferred[Answer] = field(factory=Deferred)

    @property
    def workspace_id(self) -> UUID:
        return self.ready.request.workspace_id

    def settle(self, answer: Answer | Failure) -> None:
        # Whoever asked may have gone; the commit stands all the same.
        if not self.answer.called:
            self.answer.callback(answer)


@define
class Group:
    """Requests that share a transaction.

    :ivar is_patient: they are all about one workspace, and wait for whoever holds it: another
        instance, or a long move.
    """

    members: list[Waiting]
    is_patient: bool

    @property
    def workspaces(self) -> set[UUID]:
        return {waiting.workspace_id for waiting in self.members}


class CommitQueue:
    """Takes commits one by one and runs them in groups.

    A group waits for no lock: what is about a workspace that somebody else holds comes back, and
    then goes without company, and waits.  Of several lanes one is always left to those who do not.

    :param lanes: how many transactions may run at a time.
    """

    def __init__(self, transaction: CommitTransaction, lanes: int) -> None:
        self._transaction = transaction
        self._free_lanes = lanes
        self._free_for_the_patient = max(1, lanes - 1)
        self._waiting: list[Waiting] = []
        self._busy: set[UUID] = set()
        self._held: set[UUID] = set()

    def commit(self, ready: ReadyRequest) -> Deferred[Answer]:
        """The answer to this request; cancelling it does not undo the commit."""
        waiting = Waiting(ready)
        self._waiting.append(waiting)
        self._fill_lanes()
        return waiting.answer

    def _fill_lanes(self) -> None:
        while self._free_lanes and self._waiting:
            group = self._next_group()
            if not group.members:
                return
            self._free_lanes -= 1
            self._free_for_the_patient -= group.is_patient
            self._busy |= group.workspaces
            Deferred.fromCoroutine(self._run(group))

    def _next_group(self) -> Group:
        if self._held and self._free_for_the_patient:
            for waiting in self._waiting:
                workspace_id = waiting.workspace_id
                if workspace_id in self._held and workspace_id not in self._busy:
                    return Group(self._take(workspace_id.__eq__), True)
        return Group(self._take(lambda workspace_id: workspace_id not in self._held), False)

    def _take(self, is_wanted: Callable[[UUID], bool]) -> list[Waiting]:
        """The next requests whose workspaces are wanted, and in no running transaction."""
        taken: list[Waiting] = []
        rest: list[Waiting] = []
        too_large: set[UUID] = set()
        changes = 0
        for place, waiting in enumerate(self._waiting):
            if len(taken) == REQUESTS_PER_TRANSACTION:
                rest.extend(self._waiting[place:])
                break
            workspace_id, asked = waiting.workspace_id, len(waiting.ready.request.changes)
            # Nobody overtakes an earlier request to the same workspace.
            if (
                workspace_id in self._busy
                or workspace_id in too_large
                or not is_wanted(workspace_id)
            ):
                rest.append(waiting)
            elif taken and changes + asked > CHANGES_PER_TRANSACTION:
                too_large.add(workspace_id)
                rest.append(waiting)
            else:
                taken.append(waiting)
                changes += asked
        self._waiting = rest
        return taken

    async def _run(self, group: Group) -> None:
        commit = self._transaction.commit if group.is_patient else self._transaction.commit_unheld
        try:
            answers = await self._answers(commit, [waiting.ready for waiting in group.members])
        finally:
            self._free_lanes += 1
            self._free_for_the_patient += group.is_patient
            self._busy -= group.workspaces
            if group.is_patient:
                self._held -= group.workspaces
        answered = list(zip(group.members, answers, strict=True))
        held = [waiting for waiting, answer in answered if answer is None]
        # Before those that came to their workspaces meanwhile.
        self._waiting[:0] = held
        self._held.update(waiting.workspace_id for waiting in held)
        for waiting, answer in answered:
            if answer is not None:
                waiting.settle(answer)
        self._fill_lanes()

    async def _answers(
        self,
        commit: Callable[[Sequence[ReadyRequest]], Awaitable[Sequence[Answer | None]]],
        ready: list[ReadyRequest],
    ) -> list[Answer | Failure | None]:
        try:
            return list(await commit(ready))
        except Unavailable:
            return [Failure()] * len(ready)
        except Exception:
            if len(ready) == 1:
                return [Failure()]
        # Something is wrong with one of them: alone, it cannot harm the others.
        answers: list[Answer | Failure | None] = []
        held: set[UUID] = set()
        for request in ready:
            workspace_id = request.request.workspace_id
            # Nobody overtakes an earlier request to the same workspace, here neither.
            alone = [None] if workspace_id in held else await self._answers(commit, [request])
            if alone == [None]:
                held.add(workspace_id)
            answers.extend(alone)
        return answers
