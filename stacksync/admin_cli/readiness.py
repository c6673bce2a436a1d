"""``stacksync-admin check``: what is missing in the world around the service, in words."""

from __future__ import annotations

from typing import Any

from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.broker_readiness import look_at_broker
from stacksync.admin_cli.findings import Findings
from stacksync.admin_cli.output import Answer
from stacksync.admin_cli.session import engine
from stacksync.config import Config
from stacksync.interfaces import IHealthCheck
from stacksync.storage.keystone.diagnosis import diagnose


async def check_readiness(reactor: Any, config: Config, _: Arguments) -> Answer:
    """Whether every part that the settings name is there and lets us do what we have to."""
    found = Findings()
    async with engine(reactor, config) as core:
        parts: list[IHealthCheck] = [core.database, core.store]
        if core.keystone is not None:
            diagnosis = await diagnose(reactor, core.keystone)
            found.add(Findings(problems=diagnosis.problems, notes=diagnosis.notes))
        for part in parts:
            await found.told_by(reactor, f"{part.part}:", look_at(part, found))
        found.add(await look_at_broker(reactor, config, core.engine.audit))
    return found.answer()


async def look_at(part: IHealthCheck, found: Findings) -> None:
    """:raises Unavailable: it is not as it should be."""
    await part.check()
    found.notes.append(f"{part.part}: works")
