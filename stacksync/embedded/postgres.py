"""The embedded PostgreSQL as the service and ``stacksync-admin`` use it.

Several processes share the one server of a state directory: whoever comes
first starts it, the last one to leave stops it, and a server left behind by a
killed service is taken over.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.logger import Logger

from stacksync.embedded.binaries import find_binaries
from stacksync.embedded.claim import Claim
from stacksync.embedded.cluster import Cluster
from stacksync.embedded.deadline import Deadline
from stacksync.embedded.run_as import user_for
from stacksync.embedded.threads import in_thread


class EmbeddedPostgres:
    """The database server of one state directory.

    :param reactor: the reactor, for its threads.
    :param home: the state directory, as :func:`stacksync.embedded.home.prepare` left it.
    :param start_timeout: seconds for creating and starting it, recovery after a crash included.
    :param stop_timeout: seconds after which it is killed.
    """

    _log = Logger()

    def __init__(
        self, reactor: Any, home: Path, start_timeout: float = 60.0, stop_timeout: float = 20.0
    ) -> None:
        self._reactor = reactor
        self._home = home
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self._claim = Claim(home, "postgres")
        self._cluster: Cluster | None = None

    async def start(self) -> str:
        """Start the server, or join the one that runs.

        :returns: the libpq URL of its database.
        :raises ConfigurationError: the package with the binaries is not
            installed, or the servers' user can't enter the state directory.
        :raises Unavailable: it did not start; the message has the end of its log.
        """
        url = await in_thread(self._reactor, self._start_timeout, self._start)
        self._log.info("embedded PostgreSQL answers in {home}", home=str(self._home))
        return url

    async def stop(self) -> None:
        """Leave the server; stop it if no other process uses it."""
        await in_thread(self._reactor, self._stop_timeout + 20, self._stop)

    def _start(self, deadline: Deadline) -> str:
        user = user_for(self._home)
        with self._claim.exclusive(deadline):
            binaries = find_binaries(user, self._home)
            self._cluster = cluster = Cluster(self._home / "postgres", binaries, user)
            self._claim.take()
            try:
                cluster.start(deadline)
            except BaseException:
                if self._claim.release():
                    cluster.stop(Deadline(self._stop_timeout))
                raise
        return cluster.url()

    def _stop(self, deadline: Deadline) -> None:
        with self._claim.exclusive(deadline):
            if self._claim.release() and self._cluster is not None:
                self._cluster.stop(Deadline(self._stop_timeout))
        self._cluster = None
