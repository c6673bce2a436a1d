"""A stop is bounded, whatever the parts are like that are waited for."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import closing

from tests.integration.surroundings.urls import proxy_for, through
from tests.servers.stacksync import StackSyncProcess


def test_a_database_that_hangs_does_not_keep_the_service_from_stopping(
    start_server: Callable[..., StackSyncProcess], database_dsn: str
) -> None:
    with closing(proxy_for(database_dsn)) as wire:
        server = start_server(
            through(wire, database_dsn), service={"stop_timeout": "2s"}, jobs={"poll": "50ms"}
        )
        wire.hold_answers()
        server.wait_for_status(503)
        before = time.monotonic()
        assert server.terminate() == -signal.SIGTERM
        assert time.monotonic() - before < 15
        log = server.log_text()
    assert "StackSync has stopped" in log
    assert "Traceback" not in log
