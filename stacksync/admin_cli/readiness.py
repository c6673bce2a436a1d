"""``stacksync-admin check``: what is missing in the world around the service, in words."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout

from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.broker_readiness import look_at_broker
from stacksync.admin_cli.findings import Findings
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
    found = Findings()
    async with engine(reactor, config) as core:
        parts: list[IHealthCheck] = [core.database, core.store]
        if core.keystone is not None:
            diagnosis = await diagnose(reactor, core.keystone)
            found.add(Findings(problems=diagnosis.problems, notes=diagnosis.notes))
        for part in parts:
            checking = Deferred.fromCoroutine(part.check())
            try:
                await checking.addTimeout(PATIENCE, reactor)
            except DeferredTimeout:
                found.problems.append(f"{part.part}: no answer in {PATIENCE:g} s")
            except StackSyncError as error:
                found.problems.append(str(error))
            else:
                found.notes.append(f"{part.part}: works")
        found.add(await look_at_broker(reactor, config, core.engine.audit))
    return found.answer()
