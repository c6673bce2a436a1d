"""What does one kind of job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from stacksync.model import Job

Tell = Callable[[int, int], Awaitable[None]]
"""Takes how many units are done, and of how many; for long jobs, now and then."""


class JobHandler(Protocol):
    """Does jobs of one kind.

    May be cancelled at any moment, and run again from the beginning: here or on
    another instance.  What a handler raises is the job's problem until the next
    try.
    """

    async def run(self, job: Job, tell: Tell) -> None: ...
