"""Fifty uploads at once beside collections without end: nothing that they made is lost."""

from __future__ import annotations

import random
from datetime import timedelta

from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.engine.content.chunk_object import encode, name_of
from stacksync.model import Item
from stacksync.streams import BytesStream
from tests.engine.conftest import Person
from tests.engine.content.builders import noise
from tests.engine.estate import HOUR, Estate, estate

__all__ = ["estate"]

UPLOADS = 50
ROUNDS = 3
GARBAGE = 200
SIZE = 20_000
"""Bytes of each content, which is one chunk."""


def content(seed: int) -> bytes:
    return noise(SIZE, seed)


async def litter(estate: Estate, person: Person) -> None:
    """Leave objects that nothing refers to, and let everything be old."""
    container = estate.container(person)
    await estate.store.create_container(container)
    for seed in range(GARBAGE):
        body = encode(content(seed))
        await estate.store.put(container, name_of(content(seed)), BytesStream(body))
    estate.age(2 * HOUR)


async def collect_until(done: list[bool], estate: Estate) -> tuple[int, int]:
    """Collect again and again until something is done; how often, and how many chunks went."""
    runs = removed = 0
    while not done or not runs:
        # Whatever was there when the round began and was not asked for since is old.
        collected = await estate.collect(
            grace=timedelta(hours=1), keep_versions=1, repeated=timedelta(0)
        )
        runs += 1
        removed += collected.swept.chunks if collected is not None else 0
    return runs, removed


@ensureDeferred
async def test_nothing_is_lost_of_fifty_uploads_beside_collections(estate: Estate) -> None:
    anna = await estate.person()
    chance = random.Random(20)
    items: dict[int, Item] = {}
    newest: dict[int, bytes] = {}
    all_removed = 0

    async def upload(number: int) -> None:
        # Nearly all of it is garbage at this moment, or on its way out.
        wanted = content(chance.randrange(GARBAGE + 20))
        if number in items:
            items[number] = await estate.overwrite(anna, items[number], wanted)
        else:
            items[number] = await estate.upload(anna, f"file {number}", wanted)
        newest[number] = wanted

    for _ in range(ROUNDS):
        await litter(estate, anna)
        done: list[bool] = []
        collecting = Deferred.fromCoroutine(collect_until(done, estate))

        await gatherResults([Deferred.fromCoroutine(upload(each)) for each in range(UPLOADS)])
        done.append(True)
        runs, removed = await collecting
        assert runs >= 1
        all_removed += removed
        for number, item in items.items():
            assert await estate.content(anna, item) == newest[number]
        await estate.is_sound()
    assert all_removed > GARBAGE
