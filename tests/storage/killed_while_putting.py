"""A process that puts an object and stops in the middle, to be killed there.

Run with the store's directory, a container and a name; says ``in the middle``
when more has been written than fits in memory buffers.
"""

from __future__ import annotations

import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from zope.interface import implementer

from stacksync.interfaces import IByteStream
from stacksync.storage import DiskStore
from stacksync.streams import PIECE


@implementer(IByteStream)
class NeverEnding:
    """Gives eight pieces and then nothing, for ever."""

    def __init__(self) -> None:
        self._given = 0

    async def read(self) -> bytes:
        self._given += 1
        if self._given > 8:
            print("in the middle", flush=True)
            await Deferred()
        return b"half" * (PIECE // 4)

    async def close(self) -> None:
        pass


def main(root: str, container: str, name: str) -> None:
    store = DiskStore(reactor, Path(root))
    store.start()
    Deferred.fromCoroutine(store.put(container, name, NeverEnding()))
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
