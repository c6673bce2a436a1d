"""Where a private broker asks: kept from start to start, shared by ours, closed to others."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from stacksync.embedded.deadline import Deadline
from stacksync.embedded.ports import LOOPBACK
from stacksync.embedded.questions import Asking, open_questions

TAKE = """
import socket, sys
taken = socket.socket()
taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
taken.bind(("127.0.0.1", int(sys.argv[1])))
"""


class Places:
    """Opens the questions of one state directory as often as it is told to."""

    def __init__(self, home: Path, cleanup: ExitStack) -> None:
        self.kept = home / "rabbitmq.questions"
        self._home = home
        self._cleanup = cleanup

    def open(self) -> Asking:
        asking = open_questions(self._home, Deadline(30))
        self._cleanup.callback(asking.close)
        return asking


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    with ExitStack() as cleanup:
        yield Places(tmp_path, cleanup)


def test_several_processes_may_have_the_same_place(places: Places) -> None:
    assert places.open().questions == places.open().questions


def test_it_is_the_same_after_all_have_left(places: Places) -> None:
    first = places.open()
    first.close()
    assert places.open().questions == first.questions


def test_only_the_owner_can_read_what_is_kept(places: Places) -> None:
    places.open()
    assert places.kept.stat().st_mode & 0o777 == 0o600


def test_secrets_are_in_no_repr(places: Places) -> None:
    asking = places.open()
    questions = asking.questions
    assert questions.secret != questions.service_password
    for secret in (questions.secret, questions.service_password):
        assert secret not in repr(asking)


def test_what_others_could_read_is_not_believed(places: Places) -> None:
    first = places.open()
    places.kept.chmod(0o644)
    again = places.open().questions
    assert again.secret != first.questions.secret
    assert again.service_password != first.questions.service_password
    assert places.kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"port": "1", "secret": "", "service_password": ""}'],
)
def test_a_damaged_file_is_no_obstacle(places: Places, text: str) -> None:
    places.kept.write_text(text)
    places.kept.chmod(0o600)
    made = places.open().questions
    assert json.loads(places.kept.read_text())["secret"] == made.secret


def test_a_port_that_a_stranger_took_meanwhile_is_given_up(places: Places) -> None:
    first = places.open()
    first.close()
    with closing(socket.create_server((LOOPBACK, first.questions.port))):
        other = places.open().questions
    assert other.port != first.questions.port
    assert other.secret == first.questions.secret
    assert places.open().questions == other


def test_nobody_is_there_before_somebody_listens(places: Places) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, places.open().questions.port), timeout=30)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_cannot_have_the_place_as_well(places: Places) -> None:
    port = str(places.open().questions.port)
    somebody_else = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    take = [sys.executable, "-c", TAKE, port]
    told = subprocess.run([*somebody_else, *take], capture_output=True, text=True, timeout=60)
    assert "Address already in use" in told.stderr
    subprocess.run(take, check=True, timeout=60)


def test_the_broker_is_told_to_ask_nobody_else(places: Places) -> None:
    questions = places.open().questions
    settings = questions.settings()
    assert [settings[name] for name in settings if name.startswith("auth_backends")] == ["http"]
    paths = [settings[f"auth_http.{kind}_path"] for kind in ("user", "vhost", "resource", "topic")]
    for path in paths:
        assert path.startswith(f"http://127.0.0.1:{questions.port}/broker/")
        assert path.endswith(f"?secret={questions.secret}")
