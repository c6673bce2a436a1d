"""What is measured, as in production: PostgreSQL, RabbitMQ and one StackSync process.

The servers are those of the embedded default with its settings (fsync on),
each a process of its own.  Directories and the certainty that nothing is left
behind come from ``tests.servers``: its sweeper ends whatever this run started,
even if the run itself is killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg2
from attrs import frozen

from stacksync.db.migrations import migrate
from stacksync.embedded.binaries import find_binaries
from stacksync.embedded.cluster import Cluster
from stacksync.embedded.deadline import Deadline
from stacksync.embedded.node import Node, find_program
from stacksync.embedded.run_as import user_for
from stacksync.errors import Unavailable
from tests.servers.run import TestRun
from tests.servers.stacksync import StackSyncProcess

START_SECONDS = 90.0
STOP_SECONDS = 30.0

# The service's own defaults, where StackSyncProcess has ones that make tests fast.
PASSWORD_HASHES = {"argon2_time_cost": "3", "argon2_memory": "64M"}

# One driver asks for many, so it would be slowed down as one that asks too much.
NO_RATES = {"account_rate": "0", "address_rate": "0"}


@frozen
class Stage:
    """The running servers."""

    directory: Path
    cluster: Cluster
    node: Node
    server: StackSyncProcess

    @property
    def amqp_url(self) -> str:
        return guest_url(self.node)

    @property
    def process_ids(self) -> dict[str, int]:
        """The root process of each part; what it started belongs to it."""
        broker, database = self.node.pid, self.cluster.pid
        assert broker is not None, "RabbitMQ has ended"
        assert database is not None, "PostgreSQL has ended"
        return {"server": self.server.pid, "broker": broker, "database": database}

    def execute(self, statement: str, database: str = "stacksync") -> int | None:
        """Run SQL outside a transaction; the number in the first column of the answer, if any."""
        with closing(psycopg2.connect(self.cluster.url(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                row = cursor.fetchone() if cursor.description else None
        return None if row is None else int(row[0])

    def settle(self) -> None:
        """A checkpoint now, so that each measurement starts alike and none has it in the middle."""
        self.execute("CHECKPOINT")


@contextmanager
def running() -> Iterator[Stage]:
    """Start everything; end everything afterwards.

    :raises Unavailable: a part is not installed or does not start.
    """
    with ExitStack() as cleanup:
        run = TestRun()
        cleanup.callback(run.leave)
        directory = run.new_directory("bench")
        user = user_for(directory)
        cluster = Cluster(directory / "postgres", find_binaries(user, directory), user)
        cluster.start(Deadline(START_SECONDS))
        cleanup.callback(lambda: cluster.stop(Deadline(STOP_SECONDS)))
        program = find_program()
        if program is None:
            raise Unavailable("RabbitMQ", "not installed: apt-get install rabbitmq-server")
        node = Node(directory / "rabbitmq", program, user)
        node.start(Deadline(START_SECONDS))
        cleanup.callback(lambda: node.stop(Deadline(STOP_SECONDS)))
        migrate(cluster.url())
        server = StackSyncProcess(
            directory,
            cluster.url(),
            guest_url(node),
            amqp={"identity": "message"},
            auth=PASSWORD_HASHES,
            limits=NO_RATES,
        )
        cleanup.callback(server.kill)
        server.start()
        yield Stage(directory, cluster, node, server)
        server.terminate()


def guest_url(node: Node) -> str:
    return f"amqp://guest:guest@127.0.0.1:{node.port}/"
