"""The disk store alone: how fast it takes objects and gives them back."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from bench.driver import Job, Measured, drive
from stacksync.config import Config
from stacksync.storage.disk import DiskStore
from stacksync.streams import BytesStream

CONTAINER = "bench"


async def put_and_get(reactor: Any, job: Job) -> Measured:
    """Put ``objects`` objects of ``size`` bytes, ``at_a_time``, and get them again."""
    settings = Config().storage
    store = DiskStore(
        reactor, Path(job["directory"]), threads=settings.threads, timeout=settings.timeout
    )
    store.start()
    await store.create_container(CONTAINER)
    # A different number in each object; the store does not look into them.
    content = os.urandom(job["size"])

    async def put(number: int) -> None:
        body = number.to_bytes(8, "big") + content[8:]
        await store.put(CONTAINER, f"object-{number}", BytesStream(body))

    async def get(number: int) -> None:
        stream = await store.get(CONTAINER, f"object-{number}")
        while await stream.read():
            pass

    measured = {}
    for name, work in (("put", put), ("get", get)):
        started = perf_counter()
        await together(work, job["objects"], job["at_a_time"])
        measured[name] = perf_counter() - started
    await store.stop()
    return measured


async def together(work: Any, times: int, at_a_time: int) -> None:
    """Do it so many times, so many at a time."""
    numbers = count()

    async def lane() -> None:
        while (number := next(numbers)) < times:
            await work(number)

    await gatherResults([Deferred.fromCoroutine(lane()) for _ in range(at_a_time)])


if __name__ == "__main__":
    drive(put_and_get)
