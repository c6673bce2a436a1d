"""The same again, after a jittered pause, for what may be done twice."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from attrs import frozen
from twisted.internet.task import deferLater

from stacksync.storage.web.failures import CertificateRefused, NoAnswer

Result = TypeVar("Result")


class Busy(NoAnswer):
    """An answer that says: later (429, 5xx)."""


@frozen
class Retries:
    """How often and how soon.

    :ivar tries: how many there are at most, the first included.
    :ivar first_delay: seconds before the second try; doubled before each further one.
    """

    tries: int = 3
    first_delay: float = 0.2
    longest_delay: float = 5.0

    def delay(self, attempt: int) -> float:
        """Seconds to wait after try number ``attempt`` (from 1)."""
        delay: float = min(self.longest_delay, self.first_delay * 2 ** min(attempt - 1, 10))
        return delay * random.uniform(0.5, 1.0)


STANDARD = Retries()


async def retried(
    clock: Any, attempt: Callable[[], Awaitable[Result]], retries: Retries = STANDARD
) -> Result:
    """What the first try that does not raise :class:`NoAnswer` returns, or what the last raises.

    :param clock: an ``IReactorTime``.
    """
    number = 1
    while True:
        try:
            return await attempt()
        except CertificateRefused:
            raise
        except NoAnswer:
            if number >= retries.tries:
                raise
        await deferLater(clock, retries.delay(number))
        number += 1
