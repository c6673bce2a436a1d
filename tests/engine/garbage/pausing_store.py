"""A store that waits where a test wants it to, or fails there."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred

from stacksync.storage import DiskStore


@define
class PausingStore:
    """A disk store whose operations of some names wait until they are let go.

    :ivar reached: the names of objects at which an operation has begun, in order.
    :ivar over: those at which it is over.
    """

    store: DiskStore
    pauses: dict[str, Deferred[None]] = field(factory=dict)
    failures: dict[str, Exception] = field(factory=dict)
    reached: list[str] = field(factory=list)
    over: list[str] = field(factory=list)

    def pause(self, method: str, name: str) -> None:
        """Let the operation on an object wait before it does anything."""
        self.pauses[f"{method} {name}"] = Deferred()

    def pause_after(self, method: str, name: str) -> None:
        """Let the operation on an object wait when it is done, before it says so."""
        self.pauses[f"after {method} {name}"] = Deferred()

    def go(self) -> None:
        """Let everything that waits, or would wait, go on."""
        waiting, self.pauses = self.pauses, {}
        for waiter in waiting.values():
            waiter.callback(None)

    def fail(self, method: str, name: str, failure: Exception) -> None:
        self.failures[f"{method} {name}"] = failure

    def __getattr__(self, method: str) -> Any:
        operation = getattr(self.store, method)

        async def operate(container: str, name: str = "", *arguments: Any) -> Any:
            step = f"{method} {name}"
            self.reached.append(step)
            await self._wait(step)
            if step in self.failures:
                raise self.failures[step]
            result = await operation(container, name, *arguments)
            await self._wait(f"after {step}")
            self.over.append(step)
            return result

        return operate

    async def _wait(self, step: str) -> None:
        if step in self.pauses:
            await self.pauses[step]
