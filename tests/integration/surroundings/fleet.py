"""The server processes of a story, and what is expected of all of them."""

from __future__ import annotations

import re
from contextlib import suppress

from tests.servers.run import TestRun
from tests.servers.stacksync import StackSyncProcess

SIGNS_OF_A_BUG = re.compile(r"Traceback|Unhandled|incident|CRITICAL")
SECRETS = re.compile(r"correct horse|stk_[A-Za-z0-9_-]{43}")
"""The password of the stories' people, and tokens."""

# People and devices of a story all have one address, and do in a second what takes others days.
NO_RATES = {"account_rate": "0", "address_rate": "0"}


class Fleet:
    """Starts servers; at the end kills them and looks into their logs."""

    def __init__(self, run: TestRun) -> None:
        self._run = run
        self._servers: list[StackSyncProcess] = []

    def start(
        self, database_url: str, amqp_url: str = "off", **overrides: dict[str, str]
    ) -> StackSyncProcess:
        """Start a server and wait until it is ready; see :class:`StackSyncProcess`."""
        server = self.prepare(database_url, amqp_url, **overrides)
        server.start()
        return server

    def prepare(
        self, database_url: str, amqp_url: str = "off", **overrides: dict[str, str]
    ) -> StackSyncProcess:
        """A server that is not started yet; trusts what messages say unless told otherwise."""
        overrides["amqp"] = {"identity": "message", **overrides.get("amqp", {})}
        overrides["limits"] = {**NO_RATES, **overrides.get("limits", {})}
        server = StackSyncProcess(
            self._run.new_directory("stacksync"), database_url, amqp_url, **overrides
        )
        self._servers.append(server)
        return server

    def end(self) -> None:
        """Kill all, and fail if one has logged what nobody should ever see."""
        found = []
        for server in self._servers:
            with suppress(ProcessLookupError):
                server.kill()
            log = server.log_text()
            sign = SIGNS_OF_A_BUG.search(log) or SECRETS.search(log)
            if sign is not None:
                start = max(0, sign.start() - 1000)
                found.append(f"{server.directory}:\n{log[start : sign.end() + 4000]}")
        assert not found, "\n\n".join(found)
