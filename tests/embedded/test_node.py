"""A private node's process: started, found again, given up, ended with all that belongs to it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest

from stacksync.embedded.deadline import Deadline
from stacksync.embedded.node import Node, find_program
from stacksync.embedded.ports import choose, is_free
from stacksync.embedded.run_as import user_for
from stacksync.errors import Unavailable
from tests.embedded.conftest import Processes
from tests.embedded.nodes import node_in, node_pid
from tests.servers.rabbitmq import RabbitServer


def test_a_node_that_hangs_is_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacksync.embedded.node._ADOPTION", 0.5)
    hung = node_in(home)
    hung.start(Deadline(120))
    hung_pid = node_pid(home)
    os.kill(hung_pid, signal.SIGSTOP)
    node = node_in(home)
    node.start(Deadline(120))
    assert node_pid(home) != hung_pid
    assert node.port == hung.port
    assert node.answers()
    node.kill()
    hung.kill()


def test_a_program_that_fails_is_told_with_its_last_words(home: Path) -> None:
    program = home / "broken"
    program.write_text("#!/bin/sh\necho the cookie is stale >&2\nexit 3\n")
    program.chmod(0o755)
    node = Node(home / "rabbitmq", program, user_for(home))
    with pytest.raises(Unavailable, match=r"(?s)ended with status 3 .*the cookie is stale"):
        node.start(Deadline(30))


def test_a_program_that_never_answers_is_given_up(home: Path, processes: Processes) -> None:
    program = home / "idle"
    program.write_text("#!/bin/sh\nsleep 600\n")
    program.chmod(0o755)
    node = Node(home / "rabbitmq", program, user_for(home))
    with pytest.raises(Unavailable, match=r"did not answer within 0\.5 s"):
        node.start(Deadline(0.5))
    assert not processes.remaining


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


def test_who_may_command_it_is_not_for_others_to_guess(rabbitmq: RabbitServer) -> None:
    cookie = rabbitmq.node.directory / ".erlang.cookie"

    # 256 bits of the system's, where Erlang's own have 36 of its clock.
    assert re.fullmatch("[0-9a-f]{64}", cookie.read_text())
    assert not cookie.stat().st_mode & 0o077
    assert cookie.read_text() in rabbitmq.evaluate("erlang:get_cookie()")


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
