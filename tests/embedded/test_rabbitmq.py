"""The embedded broker: start a private one that stays up, join one, or do without."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest
import requests
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.task import deferLater

from stacksync.embedded import rabbitmq as module
from stacksync.embedded.deadline import Deadline
from stacksync.embedded.keeper import Patience
from stacksync.embedded.ports import LOOPBACK
from stacksync.embedded.rabbitmq import Broker, Origin, find_or_start
from stacksync.embedded.run_as import user_for
from stacksync.embedded.threads import in_thread
from tests.embedded.answering import answer
from tests.embedded.conftest import Holder, Processes
from tests.embedded.holder import NOBODY_THERE
from tests.embedded.nodes import node_in, node_pid
from tests.servers.rabbitmq import RabbitServer

RESTARTED_SOON = Patience(check=0.05, first_delay=0.05)


async def log_in(url: str) -> None:
    """Not in the reactor's thread, which may have to answer the broker meanwhile."""
    await in_thread(reactor, 90, lambda _: pika.BlockingConnection(pika.URLParameters(url)).close())


async def in_channel(url: str, work: Callable[[Any], Any]) -> Any:
    """What comes of some work in a channel of its own."""

    def in_its_thread(deadline: Deadline) -> Any:
        with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
            return work(connection.channel())

    return await in_thread(reactor, 90, in_its_thread)


async def assert_refused(url: str) -> None:
    with pytest.raises(pika.exceptions.ProbableAuthenticationError, match="ACCESS_REFUSED"):
        await log_in(url)


async def until(condition: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        await deferLater(reactor, 0.05)


@ensureDeferred
async def test_a_private_node_is_shared_restarted_and_leaves_nothing(
    home: Path,
    start_holder: Callable[[str], Holder],
    processes: Processes,
) -> None:
    broker = await find_or_start(reactor, home, NOBODY_THERE, RESTARTED_SOON)
    assert broker is not None
    assert broker.origin is Origin.PRIVATE
    port, answers = answer(reactor, broker)
    await log_in(broker.url)
    assert answers.asked == 2
    await assert_refused(broker.url.replace(login_of(broker), "guest:guest"))
    assert_private(home)

    other = start_holder("rabbitmq")
    assert other.url() == broker.url
    pid = node_pid(home)
    for _ in range(10):  # either of us is asked
        await log_in(broker.url)
    other.leave()
    await log_in(broker.url)
    assert node_pid(home) == pid

    os.kill(pid, signal.SIGKILL)
    await until(lambda: node_pid(home) != pid and node_in(home).answers())
    await log_in(broker.url)
    closing_url = f"{broker.management_url}/api/connections/username/nobody"
    answered = await in_thread(reactor, 90, lambda _: requests.delete(closing_url, timeout=60))
    assert answered.status_code == 204

    await maybeDeferred(port.stopListening)
    await broker.stop()
    assert not processes.remaining


def login_of(broker: Broker) -> str:
    assert broker.questions is not None
    return f"{broker.questions.service_login}:{broker.questions.service_password}"


def assert_private(home: Path) -> None:
    """Nobody but us and the node's own user can read what is in the state directory."""
    user = user_for(home)
    owners = {os.geteuid(), user.uid if user is not None else os.geteuid()}
    files = list(home.iterdir())
    assert {"rabbitmq.conf", "rabbitmq.questions", "rabbitmq.log"} <= {path.name for path in files}
    for path in files:
        status = path.stat()
        assert not status.st_mode & 0o077, path
        assert status.st_uid in owners, path
    if user is not None:
        for path in (home / "rabbitmq.conf", home / "rabbitmq.questions", home / "rabbitmq"):
            read = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "head", path]
            told = subprocess.run(read, capture_output=True, text=True, timeout=10)
            assert "Permission denied" in told.stderr


@ensureDeferred
async def test_a_killed_user_leaves_it_with_its_messages_and_its_port_to_the_next(
    home: Path, start_holder: Callable[[str], Holder], processes: Processes
) -> None:
    victim = start_holder("rabbitmq")
    url = victim.url()
    pid = node_pid(home)
    await in_channel(url, lambda channel: channel.queue_declare("requests"))
    await in_channel(
        url, lambda channel: channel.basic_publish("", "requests", b"before it was killed")
    )
    victim.kill()
    asks_at = json.loads((home / "rabbitmq.questions").read_text())["port"]
    with pytest.raises(OSError, match="in use"), closing(socket.socket()) as stranger:
        stranger.bind((LOOPBACK, asks_at))
    await assert_refused(url)

    broker = await find_or_start(reactor, home, NOBODY_THERE)
    assert broker is not None
    assert broker.url == url
    assert node_pid(home) == pid
    port, _ = answer(reactor, broker)
    _, _, body = await in_channel(url, lambda channel: channel.basic_get("requests"))
    assert body == b"before it was killed"
    await maybeDeferred(port.stopListening)
    await broker.stop()
    assert not processes.remaining


@ensureDeferred
async def test_a_node_of_an_earlier_version_is_started_anew_and_lets_no_guest_in_any_more(
    home: Path, processes: Processes
) -> None:
    earlier = node_in(home)
    await in_thread(reactor, 180, earlier.start)
    guest = f"amqp://guest:guest@{LOOPBACK}:{earlier.port}/"
    kept = pika.BasicProperties(delivery_mode=2)
    await in_channel(guest, lambda channel: channel.queue_declare("kept", durable=True))
    await in_channel(guest, lambda channel: channel.basic_publish("", "kept", b"still", kept))
    state = json.loads((home / "rabbitmq.json").read_text())
    del state["fingerprint"], state["ports"]["management"]
    (home / "rabbitmq.json").write_text(json.dumps(state))

    broker = await find_or_start(reactor, home, NOBODY_THERE)
    assert broker is not None
    assert broker.url.endswith(f":{earlier.port}/")
    assert node_pid(home) != state["pid"]
    port, _ = answer(reactor, broker)
    await assert_refused(guest)
    _, _, body = await in_channel(broker.url, lambda channel: channel.basic_get("kept"))
    assert body == b"still"
    await maybeDeferred(port.stopListening)
    await broker.stop()
    assert not processes.remaining


@ensureDeferred
async def test_where_rabbitmq_is_not_installed_a_broker_at_the_default_address_is_joined(
    home: Path, rabbitmq: RabbitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_program", lambda: None)
    broker = await find_or_start(reactor, home, (LOOPBACK, rabbitmq.port))
    assert broker is not None
    assert broker.origin is Origin.JOINED
    assert broker.url == rabbitmq.url().replace("%2F", "")
    assert broker.questions is None
    assert not broker.management_url
    await broker.stop()
    await log_in(broker.url)


@ensureDeferred
async def test_without_the_program_there_is_none(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_program", lambda: None)
    assert await find_or_start(reactor, home, NOBODY_THERE) is None


@ensureDeferred
async def test_something_else_at_the_default_address_is_not_joined(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_program", lambda: None)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        assert await find_or_start(reactor, home, silent.getsockname()) is None


@ensureDeferred
async def test_a_start_that_nobody_waits_for_any_more_ends_what_it_began(
    home: Path, processes: Processes
) -> None:
    starting = Deferred.fromCoroutine(find_or_start(reactor, home, NOBODY_THERE))
    await until(lambda: processes.ids)
    starting.cancel()
    with pytest.raises(CancelledError):
        await starting
    await until(lambda: not processes.ids)
