"""Fixtures for every test: the real servers, shared by a run, and their private parts.

A test that only needs a database or a broker takes ``database_dsn`` or
``amqp_url``; one that stops or kills a server takes a server of its own from
``own_postgres``, ``own_rabbitmq`` or ``own_openstack``.
"""

from __future__ import annotations

import gc
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from twisted.python.threadpool import ThreadPool

from stacksync.embedded import ports
from tests.servers.openstack.cloud import CloudProject
from tests.servers.openstack.server import OpenStackServer
from tests.servers.postgres import PostgresServer
from tests.servers.programs import BIRTHS
from tests.servers.rabbitmq import HTTP_BACKEND, RabbitServer
from tests.servers.run import TestRun
from tests.servers.stacksync import StackSyncProcess

_RUN = pytest.StashKey[TestRun]()
_TEMPLATE = "template_stacksync"

# How long an example takes says more of the machine than of what is tested.
hypothesis.settings.register_profile(
    "tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    run = config.stash[_RUN] = TestRun()
    keep_to_own_ports()
    # A worker whose run was killed never stops its reactor, and would wait for these for ever.
    ThreadPool.threadFactory = partial(threading.Thread, daemon=True)
    BIRTHS.open_nursery(lambda: run.new_directory("nursery"))


def keep_to_own_ports() -> None:
    """Take no port that another process of the run has found free, and is about to use."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ports._RANGE = ports._RANGE[::2][number::count]


def pytest_unconfigure(config: pytest.Config) -> None:
    BIRTHS.close_nursery()
    config.stash[_RUN].leave()


def pytest_collection() -> None:
    """Nothing that is collected becomes garbage: looking for some is a third of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave out what was collected when tests look for garbage, as they do hundreds of times."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put stories first: some take long, and the last of what runs should be short."""
    items.sort(key=lambda item: "integration" not in item.path.parts)


@pytest.fixture(scope="session")
def test_run(pytestconfig: pytest.Config) -> TestRun:
    """The run that this process is part of."""
    return pytestconfig.stash[_RUN]


@pytest.fixture
def new_directory(test_run: TestRun) -> Callable[[str], Path]:
    """Makes directories that an embedded server's user may pass (unlike ``tmp_path``)."""
    return test_run.new_directory


@pytest.fixture(scope="session")
def postgres(test_run: TestRun) -> PostgresServer:
    """The run's PostgreSQL.  Other tests use it as well: leave it running."""

    def start() -> str:
        directory = test_run.new_directory_in_memory("postgres")
        PostgresServer(directory).start()
        return str(directory)

    server = PostgresServer(Path(test_run.once("postgres", start)))
    server.start()
    return server


@pytest.fixture(scope="session")
def database_template(test_run: TestRun, postgres: PostgresServer) -> str:
    """The name of a database with the present schema, to be copied; connect to copies only."""
    from stacksync.db.migrations import migrate

    def create() -> str:
        postgres.execute(f"CREATE DATABASE {_TEMPLATE}")
        migrate(postgres.dsn(_TEMPLATE))
        return _TEMPLATE

    return test_run.once("template", create)


@pytest.fixture
def empty_database_dsn(postgres: PostgresServer) -> Iterator[str]:
    """The libpq URL of a database without any schema."""
    with postgres.database() as dsn:
        yield dsn


@pytest.fixture
def database_dsn(postgres: PostgresServer, database_template: str) -> Iterator[str]:
    """The libpq URL of a database of this test's own, with the present schema."""
    with postgres.database(database_template) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def module_database_dsn(postgres: PostgresServer, database_template: str) -> Iterator[str]:
    """Like ``database_dsn``, one for all tests of a module."""
    with postgres.database(database_template) as dsn:
        yield dsn


@pytest.fixture
def own_postgres(test_run: TestRun) -> Iterator[PostgresServer]:
    """A running PostgreSQL of this test's own, to be stopped and killed at will.

    Its database ``stacksync`` (``own_postgres.dsn()``) is empty.
    """
    directory = test_run.new_directory_in_memory("own-postgres")
    server = PostgresServer(directory)
    server.start()
    yield server
    server.kill()
    # Its sessions notice a little later, and may still write; what is left is swept with the run.
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def rabbitmq(test_run: TestRun) -> RabbitServer:
    """The run's RabbitMQ.  Other tests use it as well: leave it running, use your own vhost."""

    def start() -> str:
        directory = test_run.new_directory("rabbitmq")
        RabbitServer(directory, plugins=(HTTP_BACKEND,)).start()
        return str(directory)

    server = RabbitServer(Path(test_run.once("rabbitmq", start)), plugins=(HTTP_BACKEND,))
    server.start()
    return server


@pytest.fixture
def vhost(rabbitmq: RabbitServer) -> Iterator[str]:
    """The name of a virtual host of this test's own."""
    with rabbitmq.vhost() as name:
        yield name


@pytest.fixture
def amqp_url(rabbitmq: RabbitServer, vhost: str) -> str:
    """The AMQP URL of a virtual host of this test's own, as guest."""
    return rabbitmq.url(vhost)


@pytest.fixture
def own_rabbitmq(new_directory: Callable[[str], Path]) -> Iterator[RabbitServer]:
    """A running RabbitMQ of this test's own, to be stopped and killed at will (takes 5 s)."""
    server = RabbitServer(new_directory("own-rabbitmq"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def openstack(test_run: TestRun) -> OpenStackServer:
    """The run's Keystone and Swift.  Other tests use them as well: leave them running."""

    def start() -> str:
        directory = test_run.new_directory("openstack")
        OpenStackServer(directory).start()
        return str(directory)

    server = OpenStackServer(Path(test_run.once("openstack", start)))
    server.start()
    return server


@pytest.fixture
def project(openstack: OpenStackServer) -> CloudProject:
    """A project of this test's own, so a Swift account as well, with the service's user in it."""
    return openstack.cloud.project()


@pytest.fixture
def start_openstack(
    new_directory: Callable[[str], Path],
) -> Iterator[Callable[..., OpenStackServer]]:
    """Starts Keystones and Swifts (3 s each) and ends them after the test.

    Takes the options of :class:`OpenStackServer`, such as ``token_expiration=5``.
    """
    with ExitStack() as servers:

        def start(**options: Any) -> OpenStackServer:
            server = OpenStackServer(new_directory("own-openstack"), **options)
            servers.callback(server.kill)
            server.start()
            return server

        yield start


@pytest.fixture
def own_openstack(start_openstack: Callable[..., OpenStackServer]) -> OpenStackServer:
    """A Keystone and Swift of this test's own, to be stopped and killed at will (takes 3 s)."""
    return start_openstack()


@pytest.fixture
def start_server(
    new_directory: Callable[[str], Path],
) -> Iterator[Callable[..., StackSyncProcess]]:
    """Starts StackSync processes and ends them after the test.

    Takes the arguments of :class:`StackSyncProcess` but the directory.
    """
    with ExitStack() as processes:

        def start(
            database_url: str, amqp_url: str = "off", **overrides: dict[str, str]
        ) -> StackSyncProcess:
            process = StackSyncProcess(
                new_directory("stacksync"), database_url, amqp_url, **overrides
            )
            processes.callback(process.kill)
            process.start()
            return process

        yield start


@pytest.fixture
def server(
    start_server: Callable[..., StackSyncProcess], database_dsn: str, amqp_url: str
) -> StackSyncProcess:
    """A StackSync process with HTTP and AMQP, on a database and virtual host of its own."""
    return start_server(database_dsn, amqp_url)
