"""A server that the examples of a module share, and a new person on it for each test."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.examples.running import Person
from tests.integration.surroundings.people import People
from tests.servers.rabbitmq import RabbitServer
from tests.servers.run import TestRun
from tests.servers.stacksync import StackSyncProcess

NewPerson = Callable[..., Person]


@pytest.fixture(scope="module")
def module_vhost(rabbitmq: RabbitServer) -> Iterator[str]:
    with rabbitmq.vhost() as name:
        yield name


@pytest.fixture(scope="module")
def module_server(
    test_run: TestRun, rabbitmq: RabbitServer, module_vhost: str, module_database_dsn: str
) -> Iterator[StackSyncProcess]:
    """A server with default settings: AMQP clients are whom the broker says they are."""
    server = StackSyncProcess(
        test_run.new_directory("stacksync"), module_database_dsn, rabbitmq.url(module_vhost)
    )
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def new_person(
    module_server: StackSyncProcess, rabbitmq: RabbitServer, module_vhost: str, tmp_path: Path
) -> Iterator[NewPerson]:
    """Makes people with an account and a login to the broker."""
    emails = []
    people = People(module_server)

    def make(quota: int = 5 * 1024**3) -> Person:
        email = f"{secrets.token_hex(4)}@example.org"
        user = people.add(quota, email)
        emails.append(email)
        amqp_url = rabbitmq.add_user(email, "secret", module_vhost)
        return Person(user, amqp_url, module_server.http_url, tmp_path / "state")

    yield make
    for email in emails:
        rabbitmq.delete_user(email)


@pytest.fixture
def person(new_person: NewPerson) -> Person:
    return new_person()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small directory tree: 4 folders with the top one, 4 files."""
    top = tmp_path / "holiday"
    (top / "photos" / "2026").mkdir(parents=True)
    (top / "empty").mkdir()
    (top / "notes.txt").write_text("sun\n")
    (top / "photos" / "2026" / "sea.jpg").write_bytes(bytes(range(256)) * 5000)
    (top / "photos" / "2026" / "Ünïcode 💾.bin").write_bytes(b"x")
    (top / "photos" / "nothing").touch()
    return top
