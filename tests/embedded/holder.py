"""A process that uses an embedded server: ``holder postgres|rabbitmq HOME``.

Prints where the server is as soon as it has it, and leaves it when its
standard input ends.  A broker may ask it meanwhile.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from twisted.internet.task import react

from stacksync.embedded.postgres import EmbeddedPostgres
from stacksync.embedded.rabbitmq import find_or_start
from stacksync.embedded.threads import in_thread
from tests.embedded.answering import answer

NOBODY_THERE = ("127.0.0.1", 1)


async def hold(reactor: Any, kind: str, home: str) -> None:
    if kind == "postgres":
        server: Any = EmbeddedPostgres(reactor, Path(home))
        url = await server.start()
    else:
        server = await find_or_start(reactor, Path(home), NOBODY_THERE)
        url = server.url
        answer(reactor, server)
    print(url, flush=True)
    await in_thread(reactor, 600, lambda _: sys.stdin.read())
    await server.stop()


if __name__ == "__main__":
    react(hold, sys.argv[1:])
