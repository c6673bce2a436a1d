"""An instance that has begun to hear others knows that it has not heard them before."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from tests.db.observation import until
from tests.engine.conftest import Listener


@ensureDeferred
async def test_who_leans_on_hints_looks_once_they_can_be_heard(engine: Engine) -> None:
    looked: list[str] = []
    engine.notifier.subscribe(Listener(), lambda: looked.append("front-end"))

    engine.start()

    await until(lambda: looked)
    assert looked == ["front-end"]
