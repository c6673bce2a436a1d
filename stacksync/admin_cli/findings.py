"""What ``stacksync-admin check`` has found, in words for the operator."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout

from stacksync.admin_cli.output import Answer, printable
from stacksync.errors import StackSyncError

PATIENCE = 30.0
"""Seconds that a part may take to say how it is."""

Result = TypeVar("Result")


@define
class Findings:
    """Lines that each name what and where, without a secret.

    :ivar problems: what has to be put right, and how.
    :ivar unknown: what could not be found out now, and when it can be.
    :ivar notes: what is as it should be.
    """

    problems: list[str] = field(factory=list)
    unknown: list[str] = field(factory=list)
    notes: list[str] = field(factory=list)

    def add(self, others: Findings) -> None:
        """Take over what somebody else has found."""
        self.problems += others.problems
        self.unknown += others.unknown
        self.notes += others.notes

    async def told_by(
        self, reactor: Any, what: str, looking: Coroutine[Any, Any, Result]
    ) -> Result | None:
        """What a look at a part comes to; ``None``: it fails, which becomes a problem.

        :param what: the part, and where it is.
        """
        try:
            return await Deferred.fromCoroutine(looking).addTimeout(PATIENCE, reactor)
        except DeferredTimeout:
            self.problems.append(f"{what} does not answer in {PATIENCE:g} s")
        except StackSyncError as error:
            self.problems.append(str(error))
        return None

    def answer(self) -> Answer:
        """All of it, with status 1 if there is a problem."""
        lines = [
            *(f"ok       {printable(each)}" for each in self.notes),
            *(f"unknown  {printable(each)}" for each in self.unknown),
            *(f"missing  {printable(each)}" for each in self.problems),
            f"{len(self.problems)} to put right." if self.problems else "Nothing is missing.",
        ]
        document: dict[str, Any] = {
            "problems": self.problems,
            "unknown": self.unknown,
            "notes": self.notes,
        }
        return Answer(document, lines, 1 if self.problems else 0)
