"""The embedded broker: join one, start a private one that stays up, or do without."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pika
import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from stacksync.embedded import rabbitmq as module
from stacksync.embedded.deadline import Deadline
from stacksync.embedded.keeper import Patience
from stacksync.embedded.node import Node, find_program
from stacksync.embedded.ports import choose, is_free
from stacksync.embedded.rabbitmq import Origin, find_or_start
from stacksync.embedded.run_as import user_for
from stacksync.errors import Unavailable
from tests.embedded.conftest import Holder
from tests.embedded.holder import NOBODY_THERE
from tests.servers.rabbitmq import RabbitServer

RESTARTED_SOON = Patience(check=0.05, first_delay=0.05)


def log_in(url: str) -> None:
    pika.BlockingConnection(pika.URLParameters(url)).close()


def node_pid(home: Path) -> int:
    return int(json.loads((home / "rabbitmq.json").read_text())["pid"])


def node_in(home: Path) -> Node:
    program = find_program()
    assert program is not None
    return Node(home / "rabbitmq", program, user_for(home))


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        await deferLater(reactor, 0.05)


@ensureDeferred
async def test_a_private_node_is_shared_restarted_and_leaves_nothing(
    home: Path,
    start_holder: Callable[[str], Holder],
    processes: Callable[[], list[int]],
) -> None:
    broker = await find_or_start(reactor, home, NOBODY_THERE, RESTARTED_SOON)
    assert broker is not None
    assert broker.origin is Origin.PRIVATE
    log_in(broker.url)

    other = start_holder("rabbitmq")
    assert other.url() == broker.url
    pid = node_pid(home)
    other.leave()
    log_in(broker.url)
    assert node_pid(home) == pid

    os.kill(pid, signal.SIGKILL)
    await until(lambda: node_pid(home) != pid and node_in(home).answers())
    log_in(broker.url)

    await broker.stop()
    assert not processes()


@ensureDeferred
async def test_a_killed_user_leaves_it_with_its_messages_to_the_next(
    home: Path, start_holder: Callable[[str], Holder], processes: Callable[[], list[int]]
) -> None:
    victim = start_holder("rabbitmq")
    url = victim.url()
    pid = node_pid(home)
    victim.kill()
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        channel = connection.channel()
        channel.queue_declare("requests")
        channel.basic_publish("", "requests", b"sent while nobody was there")

    broker = await find_or_start(reactor, home, NOBODY_THERE)
    assert broker is not None
    assert broker.url == url
    assert node_pid(home) == pid
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        _, _, body = connection.channel().basic_get("requests")
        assert body == b"sent while nobody was there"
    await broker.stop()
    assert not processes()


@ensureDeferred
async def test_a_broker_at_the_default_address_is_joined_and_a_left_over_node_ended(
    home: Path,
    rabbitmq: RabbitServer,
    start_holder: Callable[[str], Holder],
    processes: Callable[[], list[int]],
) -> None:
    victim = start_holder("rabbitmq")
    victim.url()
    victim.kill()
    broker = await find_or_start(reactor, home, ("127.0.0.1", rabbitmq.port))
    assert broker is not None
    assert broker.origin is Origin.JOINED
    assert broker.url == rabbitmq.url().replace("%2F", "")
    assert not processes()
    await broker.stop()
    log_in(broker.url)


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
    home: Path, processes: Callable[[], list[int]]
) -> None:
    starting = Deferred.fromCoroutine(find_or_start(reactor, home, NOBODY_THERE))
    await until(processes)
    starting.cancel()
    with pytest.raises(CancelledError):
        await starting
    await until(lambda: not processes())


def test_a_node_that_hangs_is_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacksync.embedded.node._ADOPTION", 0.5)
    hung = node_in(home)
    hung.start(Deadline(60))
    hung_pid = node_pid(home)
    os.kill(hung_pid, signal.SIGSTOP)
    node = node_in(home)
    node.start(Deadline(60))
    assert node_pid(home) != hung_pid
    assert node.port == hung.port
    log_in(f"amqp://127.0.0.1:{node.port}/")
    node.kill()
    hung.kill()


def test_a_program_that_fails_is_told_with_its_last_words(home: Path) -> None:
    program = home / "broken"
    program.write_text("#!/bin/sh\necho the cookie is stale >&2\nexit 3\n")
    program.chmod(0o755)
    node = Node(home / "rabbitmq", program, user_for(home))
    with pytest.raises(Unavailable, match=r"(?s)ended with status 3 .*the cookie is stale"):
        node.start(Deadline(30))


def test_a_program_that_never_answers_is_given_up(
    home: Path, processes: Callable[[], list[int]]
) -> None:
    program = home / "idle"
    program.write_text("#!/bin/sh\nsleep 600\n")
    program.chmod(0o755)
    node = Node(home / "rabbitmq", program, user_for(home))
    with pytest.raises(Unavailable, match=r"did not answer within 0\.5 s"):
        node.start(Deadline(0.5))
    assert not processes()


def test_a_stale_process_id_is_not_taken_for_the_node(home: Path) -> None:
    (home / "rabbitmq.json").write_text('{"pid": 1, "ports": null}')
    node = node_in(home)
    assert node.pid is None
    node.kill()


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_damaged_state_file_is_no_obstacle(home: Path, text: str) -> None:
    (home / "rabbitmq.json").write_text(text)
    assert node_in(home).pid is None


def test_a_port_that_somebody_else_took_meanwhile_is_not_insisted_on(home: Path) -> None:
    (taken,) = choose(1)
    ports = {"amqp": taken, "distribution": taken, "names": taken}
    (home / "rabbitmq.json").write_text(json.dumps({"pid": 1, "ports": ports}))
    with closing(socket.create_server(("127.0.0.1", taken))):
        assert not is_free(taken)
        assert node_in(home)._choose_ports().amqp != taken
    assert node_in(home)._choose_ports().amqp == taken


def test_the_program_may_be_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacksync.embedded.node._DEBIAN", tmp_path / "nothing")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program() is None
    shutil.copy("/bin/true", tmp_path / "rabbitmq-server")
    assert find_program() == tmp_path / "rabbitmq-server"


def test_nothing_of_it_listens_beyond_this_machine(rabbitmq: RabbitServer) -> None:
    environment = rabbitmq.node.environment()
    ports = [rabbitmq.port]
    ports += [int(environment[name]) for name in ("RABBITMQ_DIST_PORT", "ERL_EPMD_PORT")]
    for port in ports:
        addresses = listening_on(port)
        assert addresses
        assert addresses <= {"127.0.0.1", "::1"}


def listening_on(port: int) -> set[str]:
    """The addresses of this machine where somebody listens on a port (proc_net_tcp(5))."""
    found = set()
    for family, table in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, number = local.partition(":")
            if state == "0A" and int(number, 16) == port:
                words = [
                    bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)
                ]
                found.add(socket.inet_ntop(family, b"".join(words)))
    return found
