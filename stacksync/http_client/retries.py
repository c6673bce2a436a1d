"""The same again, after a jittered pause, for what may be done twice."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from attrs import frozen
from twisted.internet.task import deferLater

from stacksync.http_client.failures import CertificateRefused, NoAnswer

Result = TypeVar("Result")


class Busy(NoAnswer):
    """An answer that says: later (429, 5xx).

    :ivar after: seconds that it asks us to wait at least.
    """

    def __init__(self, part: str, problem: str, after: float = 0.0) -> None:
        super().__init__(part, problem)
        self.after = after


@frozen
class Retries:
    """How often and how soon.

    :ivar tries: how many there are at most, the first included.
    :ivar first_delay: seconds before the second try; doubled before each further one.
    :ivar patience: seconds that we wait at the most where a busy server asks for it; one that
        asks for more is not asked again.
    """

    tries: int = 3
    first_delay: float = 0.2
    longest_delay: float = 5.0
    patience: float = 20.0

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
        except NoAnswer as error:
            after = error.after if isinstance(error, Busy) else 0.0
            if number >= retries.tries or after > retries.patience:
                raise
        await deferLater(clock, max(after, retries.delay(number)))
        number += 1
