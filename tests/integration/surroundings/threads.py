"""Things that happen at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def at_once(*actions: Callable[[], T]) -> list[T]:
    """Do all of it at the same moment, each in a thread; the results, in the order given."""
    gate = threading.Barrier(len(actions))

    def act(action: Callable[[], T]) -> T:
        gate.wait(60)
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def side_by_side(*actions: Callable[[], T]) -> Iterable[T]:
    """Do all of it, each in a thread."""
    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(lambda action: action(), actions))
