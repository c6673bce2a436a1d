"""The embedded PostgreSQL as the service and ``stacksync-admin`` use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.logger import Logger

from stacksync.embedded.binaries import find_binaries
from stacksync.embedded.cluster import Cluster
from stacksync.embedded.deadline import Deadline
from stacksync.embedded.keeper import Keeper, Patience
from stacksync.embedded.run_as import user_for
from stacksync.embedded.threads import in_thread

PREPARATION_TIMEOUT = 60.0


class EmbeddedPostgres:
    """The database server of one state directory.

    :param reactor: the reactor, for its threads.
    :param home: the state directory, as :func:`stacksync.embedded.home.prepare` left it.
    :param patience: how long to wait for what; starting may include recovery after a crash.
    """

    _log = Logger()

    def __init__(self, reactor: Any, home: Path, patience: Patience | None = None) -> None:
        self._reactor = reactor
        self._home = home
        self._patience = patience or Patience()
        self._keeper: Keeper | None = None

    async def start(self) -> str:
        """Start the server, or join the one that runs.

        :returns: the libpq URL of its database; it does not change.
        :raises ConfigurationError: the package with the binaries is not
            installed, or the servers' user can't enter the state directory.
        :raises Unavailable: it did not start; the message has the end of its log.
        """
        cluster = await in_thread(self._reactor, PREPARATION_TIMEOUT, self._cluster)
        self._keeper = Keeper(self._reactor, "PostgreSQL", self._home, cluster, self._patience)
        await self._keeper.start()
        self._log.info("embedded PostgreSQL answers in {home}", home=str(self._home))
        return cluster.url()

    async def stop(self) -> None:
        """Leave the server; stop it if no other process uses it."""
        if self._keeper is not None:
            keeper, self._keeper = self._keeper, None
            await keeper.stop()

    def _cluster(self, _: Deadline) -> Cluster:
        user = user_for(self._home)
        return Cluster(self._home / "postgres", find_binaries(user, self._home), user)
