"""Servers, users and devices for the stories.

A module's tests share one server with a database and a virtual host of their
own, and each test has users of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeVar

import pytest

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.device import Device
from tests.integration.clients.file_client import FileClient
from tests.integration.clients.http_device import HttpDevice
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.people import People
from tests.servers.openstack.server import OpenStackServer
from tests.servers.rabbitmq import RabbitServer
from tests.servers.run import TestRun
from tests.servers.stacksync import KnownUser, StackSyncProcess

PROTOCOLS = ("amqp", "http")

AnyDevice = TypeVar("AnyDevice", bound=Device)


@pytest.fixture(scope="session")
def remembering_openstack(test_run: TestRun) -> OpenStackServer:
    """A Keystone and a Swift that remembers tokens, as those do that are not for tests.

    For stories that ask Swift by the hundred: it would ask Keystone as often.
    """

    def start() -> str:
        directory = test_run.new_directory("remembering-openstack")
        OpenStackServer(directory, token_cache_time=300).start()
        return str(directory)

    server = OpenStackServer(Path(test_run.once("remembering-openstack", start)))
    server.start()
    return server


class Devices:
    """Makes devices that are registered and listening.

    :param server: which they are connected to unless another one is given.
    """

    def __init__(self, server: StackSyncProcess | None, connections: ExitStack) -> None:
        self._server = server
        self._connections = connections

    def laptop(self, user: KnownUser, at: StackSyncProcess | None = None) -> AmqpDevice:
        """A device on AMQP."""
        return self._introduce(AmqpDevice(self._choose(at).amqp_url, user))

    def phone(self, user: KnownUser, at: StackSyncProcess | None = None) -> HttpDevice:
        """A device on HTTP."""
        return self._introduce(HttpDevice(self._choose(at).http_url, user))

    def on(self, protocol: str, user: KnownUser, at: StackSyncProcess | None = None) -> Device:
        """A device on either."""
        return self.laptop(user, at) if protocol == "amqp" else self.phone(user, at)

    def _choose(self, at: StackSyncProcess | None) -> StackSyncProcess:
        server = at or self._server
        assert server is not None, "connected to which server?"
        return server

    def _introduce(self, device: AnyDevice) -> AnyDevice:
        self._connections.callback(device.close)
        device.register()
        device.listen()
        assert device.workspace  # known from now on, even when the server is away
        return device


def begin_before(request: pytest.FixtureRequest, *names: str) -> None:
    """Let those fixtures that the test has, too, begin before this one: they end after it."""
    for name in names:
        if name in request.fixturenames:
            request.getfixturevalue(name)


@pytest.fixture(scope="module")
def module_fleet(test_run: TestRun, request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """The servers of a module, which end before their database and virtual host."""
    begin_before(request, "module_database_dsn", "module_amqp_url")
    fleet = Fleet(test_run)
    yield fleet
    fleet.end()


@pytest.fixture
def fleet(test_run: TestRun, request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """The servers of one test, which end before their database and virtual host."""
    begin_before(request, "database_dsn", "amqp_url")
    fleet = Fleet(test_run)
    yield fleet
    fleet.end()


@pytest.fixture(scope="module")
def module_amqp_url(rabbitmq: RabbitServer) -> Iterator[str]:
    """The AMQP URL of a virtual host for all tests of a module, as guest."""
    with rabbitmq.vhost() as vhost:
        yield rabbitmq.url(vhost)


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str) -> StackSyncProcess:
    """The server of a module, with HTTP and AMQP; trusts what messages say."""
    return module_fleet.start(module_database_dsn, module_amqp_url)


@pytest.fixture(scope="module")
def people(server: StackSyncProcess) -> People:
    """The users of the module's server."""
    return People(server)


@pytest.fixture
def user(people: People) -> KnownUser:
    """A user of this test's own."""
    return people.add()


@pytest.fixture
def devices(server: StackSyncProcess) -> Iterator[Devices]:
    """Makes devices, which are connected to the module's server unless told otherwise."""
    with ExitStack() as connections:
        yield Devices(server, connections)


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    """Each of the protocols."""
    return str(request.param)


@pytest.fixture
def device(protocol: str, user: KnownUser, devices: Devices) -> Device:
    """A device of ``user`` on each of the protocols."""
    return devices.on(protocol, user)


@pytest.fixture
def files(server: StackSyncProcess, user: KnownUser) -> Iterator[FileClient]:
    """A client of ``user`` that keeps files over HTTP."""
    with closing(FileClient(server.http_url, user)) as client:
        yield client
