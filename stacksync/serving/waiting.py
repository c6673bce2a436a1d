"""Waiting for parts that may be away when the service starts."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from twisted.internet.task import deferLater
from twisted.logger import Logger

from stacksync.errors import Unavailable

T = TypeVar("T")

log = Logger()

FIRST_DELAY = 0.25
LONGEST_DELAY = 10.0


def nothing_told(_: Unavailable) -> None:
    """Who waits need not say so: the part that is away does."""


async def until_available(
    reactor: Any,
    ask: Callable[[], Awaitable[T]],
    away: Callable[[Unavailable], None] = nothing_told,
) -> T:
    """The answer of a part that may be away at first, asked for with jittered back-off.

    :param away: is told the first problem.
    """
    attempt = 0
    while True:
        try:
            return await ask()
        except Unavailable as error:
            log.debug("{problem}", problem=str(error))
            if not attempt:
                away(error)
        attempt += 1
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempt - 1, 10))
        await deferLater(reactor, delay * random.uniform(0.5, 1.0))
