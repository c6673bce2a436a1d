"""What others do during a check is never taken for damage."""

from __future__ import annotations

from datetime import timedelta

from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred

from stacksync.model import Item
from tests.engine.content.builders import noise
from tests.engine.estate import HOUR, Estate, estate

__all__ = ["estate"]

ROUNDS = 30


@ensureDeferred
async def test_uploads_deletions_and_collections_meanwhile_are_no_damage(estate: Estate) -> None:
    anna = await estate.person()
    over: list[bool] = []
    rounds: list[int] = []

    async def busy() -> None:
        """Upload, overwrite, move, delete and collect, over and over."""
        docs = await estate.engine.items.create_folder(anna.principal, "docs", None)
        items: list[Item] = []
        while not over:
            rounds.append(number := len(rounds) + 1)
            items.append(await estate.upload(anna, f"{number}", noise(30_000, number), docs))
            items[-1] = await estate.overwrite(anna, items[-1], noise(30_000, 10**6 + number))
            if number % 3 == 0:
                await estate.delete(anna, items.pop(0))
            if number % 5 == 0:
                estate.age(2 * HOUR)
                await estate.collect(keep_versions=1, repeated=timedelta(0))

    working = Deferred.fromCoroutine(busy())
    while len(rounds) < ROUNDS and not working.called:
        check = estate.new_check()
        await check.run()
        assert check.findings.kept == []
    over.append(True)
    await working
