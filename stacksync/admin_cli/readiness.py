"""``stacksync-admin check``: what is missing in the world around the service, in words."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout

from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.output import Answer
from stacksync.admin_cli.session import engine
from stacksync.config import Config
from stacksync.errors import StackSyncError
from stacksync.interfaces import IHealthCheck
from stacksync.storage.keystone.diagnosis import diagnose

PATIENCE = 30.0
"""Seconds that a part may take to say how it is."""


async def check_readiness(reactor: Any, config: Config, _: Arguments) -> Answer:
    """Whether every part that the settings name is there and lets us do what we have to."""
    problems: list[str] = []
    notes: list[str] = []
    async with engine(reactor, config) as core:
        parts: list[IHealthCheck] = [core.database, core.store]
        if core.keystone is not None:
            found = await diagnose(reactor, core.keystone)
            problems += found.problems
            notes += found.notes
        for part in parts:
            checking = Deferred.fromCoroutine(part.check())
            try:
                await checking.addTimeout(PATIENCE, reactor)
            except DeferredTimeout:
                problems.append(f"{part.part}: no answer in {PATIENCE:g} s")
            except StackSyncError as error:
                problems.append(str(error))
            else:
                notes.append(f"{part.part}: works")
    lines = [*(f"ok       {each}" for each in notes), *(f"missing  {each}" for each in problems)]
    lines.append("Nothing is missing." if not problems else f"{len(problems)} to put right.")
    return Answer({"problems": problems, "notes": notes}, lines, 1 if problems else 0)
