"""Waiting commits share transactions.

When commits come faster than one transaction each would allow, those that
wait go to the database together: one round trip, one flush to disk for all.
Nobody is made to wait for company.  Commits to one workspace keep their order
and never wait for one another inside the database.
"""

from __future__ import annotations

from collections.abc import Sequence
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


@define(eq=False)
class Waiting:
    ready: ReadyRequest
    answer: Deferred[Answer] = field(factory=Deferred)

    def settle(self, answer: Answer | Failure) -> None:
        # Whoever asked may have gone; the commit stands all the same.
        if not self.answer.called:
            self.answer.callback(answer)


class CommitQueue:
    """Takes commits one by one and runs them in groups.

    :param lanes: how many transactions may run at a time.
    """

    def __init__(self, transaction: CommitTransaction, lanes: int) -> None:
        self._transaction = transaction
        self._free_lanes = lanes
        self._waiting: list[Waiting] = []
        self._busy: set[UUID] = set()

    def commit(self, ready: ReadyRequest) -> Deferred[Answer]:
        """The answer to this request; cancelling it does not undo the commit."""
        waiting = Waiting(ready)
        self._waiting.append(waiting)
        self._fill_lanes()
        return waiting.answer

    def _fill_lanes(self) -> None:
        while self._free_lanes and self._waiting:
            group = self._take_group()
            if not group:
                return
            self._free_lanes -= 1
            Deferred.fromCoroutine(self._run(group))

    def _take_group(self) -> list[Waiting]:
        """The next requests whose workspaces no running transaction holds."""
        group: list[Waiting] = []
        rest: list[Waiting] = []
        too_large: set[UUID] = set()
        changes = 0
        for place, waiting in enumerate(self._waiting):
            if len(group) == REQUESTS_PER_TRANSACTION:
                rest.extend(self._waiting[place:])
                break
            request = waiting.ready.request
            # Nobody overtakes an earlier request to the same workspace.
            if request.workspace_id in self._busy or request.workspace_id in too_large:
                rest.append(waiting)
            elif group and changes + len(request.changes) > CHANGES_PER_TRANSACTION:
                too_large.add(request.workspace_id)
                rest.append(waiting)
            else:
                group.append(waiting)
                changes += len(request.changes)
        self._waiting = rest
        self._busy.update(waiting.ready.request.workspace_id for waiting in group)
        return group

    async def _run(self, group: list[Waiting]) -> None:
        try:
            answers = await self._answers([waiting.ready for waiting in group])
        finally:
            self._free_lanes += 1
            self._busy.difference_update(waiting.ready.request.workspace_id for waiting in group)
        for waiting, answer in zip(group, answers, strict=True):
            waiting.settle(answer)
        self._fill_lanes()

    async def _answers(self, ready: list[ReadyRequest]) -> list[Answer | Failure]:
        try:
            return list(await self._transaction.commit(ready))
        except Unavailable:
            return [Failure()] * len(ready)
        except Exception:
            if len(ready) == 1:
                return [Failure()]
        # Something is wrong with one of them: alone, it cannot harm the others.
        answers: list[Answer | Failure] = []
        for request in ready:
            answers.extend(await self._answers([request]))
        return answers
