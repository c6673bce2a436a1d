"""Runs one coroutine on the reactor and gives back its result."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import react

from stacksync.admin_cli.output import INTERRUPTED

_Result = TypeVar("_Result")


def run(operation: Callable[[Any], Coroutine[Deferred[Any], Any, _Result]]) -> _Result:
    """Run the operation; once per process, since the reactor runs only once.

    When the process is asked to end (Ctrl-C, SIGTERM), the operation is
    cancelled and has the time it needs to clean up.

    :param operation: is given the reactor.
    :raises SystemExit: it was cut short, and has no result to tell.
    """
    results: list[_Result] = []
    failures: list[BaseException] = []

    async def attempt(reactor: Any) -> None:
        try:
            results.append(await operation(reactor))
        except Exception as error:
            failures.append(error)

    def begin(reactor: Any) -> Deferred[None]:
        running = Deferred.fromCoroutine(attempt(reactor))

        def cut_short() -> Deferred[None]:
            running.cancel()
            over: Deferred[None] = Deferred()
            running.addBoth(lambda _: over.callback(None))
            return over

        reactor.addSystemEventTrigger("before", "shutdown", cut_short)
        return running

    try:
        react(begin)
    except SystemExit as end:
        if end.code:
            raise
    if failures and not isinstance(failures[0], CancelledError):
        raise failures[0]
    if not results:
        sys.stderr.write("stacksync-admin: interrupted\n")
        raise SystemExit(INTERRUPTED)
    return results[0]
