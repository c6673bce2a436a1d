"""Blocking work in the reactor's thread pool, with a time limit and a way to cut it short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError
from twisted.internet.threads import deferToThreadPool

from stacksync.embedded.deadline import Deadline

_Result = TypeVar("_Result")


async def in_thread(reactor: Any, seconds: float, work: Callable[[Deadline], _Result]) -> _Result:
    """Run ``work`` in a thread and wait for its result.

    :param reactor: an ``IReactorThreads`` with a thread pool.
    :param work: is given the deadline that it has to keep; when the waiting
        coroutine is cancelled, so is the deadline.
    """
    deadline = Deadline(seconds)
    try:
        result: _Result = await deferToThreadPool(reactor, reactor.getThreadPool(), work, deadline)
    except CancelledError:
        deadline.cancel()
        raise
    return result
