"""Transactions of commits that end when a test says so, in place of the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from attrs import define, field
from twisted.internet.defer import Deferred

from stacksync.db.commits import ReadyRequest, RequestRefused
from stacksync.engine.commit_queue import Answer
from stacksync.model import CommitRequest, ItemChange, ItemStatus

A, B, C, D = (UUID(int=number) for number in range(1, 5))
ANNA, LAPTOP = UUID(int=100), UUID(int=200)
CHANGE = ItemChange(ItemStatus.NEW, 1, datetime(2026, 11, 21, tzinfo=UTC), name="a")


def request(workspace_id: UUID, request_id: str = "", changes: int = 1) -> ReadyRequest:
    asked = CommitRequest(workspace_id, LAPTOP, request_id, (CHANGE,) * changes)
    return ReadyRequest(ANNA, asked, {}, {})


def answer_to(ready: ReadyRequest) -> Answer:
    return RequestRefused(f"answer to {ready.request.request_id}")


@define(eq=False)
class Running:
    """A transaction that ends when the test says so."""

    group: tuple[ReadyRequest, ...]
    is_patient: bool
    ended: Deferred[list[Answer | None]] = field(factory=Deferred)

    def succeed(self, held: frozenset[UUID] = frozenset()) -> None:
        """Answer all but what is about workspaces that somebody else holds."""
        assert not (self.is_patient and held), "who waits gets his lock"
        self.ended.callback(
            [
                None if ready.request.workspace_id in held else answer_to(ready)
                for ready in self.group
            ]
        )

    def fail(self, error: Exception) -> None:
        self.ended.errback(error)

    @property
    def workspaces(self) -> list[UUID]:
        return [ready.request.workspace_id for ready in self.group]

    @property
    def ids(self) -> str:
        return "".join(ready.request.request_id for ready in self.group)


class Transactions:
    """Stands for the database: shows what runs there now."""

    def __init__(self) -> None:
        self.running: list[Running] = []

    async def commit(self, ready: Sequence[ReadyRequest]) -> list[Answer]:
        answers = await self._run(ready, is_patient=True)
        return [answer for answer in answers if answer is not None]

    async def commit_unheld(self, ready: Sequence[ReadyRequest]) -> list[Answer | None]:
        return await self._run(ready, is_patient=False)

    async def _run(self, ready: Sequence[ReadyRequest], is_patient: bool) -> list[Answer | None]:
        transaction = Running(tuple(ready), is_patient)
        self.running.append(transaction)
        try:
            return await transaction.ended
        finally:
            self.running.remove(transaction)

    @property
    def ids(self) -> list[str]:
        return [transaction.ids for transaction in self.running]


def told(asking: Deferred[Answer]) -> Any:
    """What a Deferred has by now: the answer's words, an error, or None."""
    outcome: list[Any] = [None]
    asking.addBoth(lambda result: outcome.__setitem__(0, result))
    result = outcome[0]
    return result.reason if isinstance(result, RequestRefused) else getattr(result, "value", result)
