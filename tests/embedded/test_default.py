"""What a newcomer gets: a service that brings everything along, and takes it away again."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest
import requests

from tests.examples.running import EXAMPLES, Person
from tests.servers.programs import environment_in
from tests.servers.run import TestRun
from tests.servers.stacksync import StackSyncProcess
from tests.servers.sweeper import remaining, sweep

WELCOME = re.compile(r"Account +(\S+), password (\S+) ")
AMQP = re.compile(r"AMQP +amqp://(\S+)/ \(private broker\)")
SECRET = re.compile(r"stk_[\w-]{43}")


class Newcomer:
    """Somebody who has read the welcome."""

    def __init__(self, server: StackSyncProcess) -> None:
        self.server = server
        # Line after line: this is in the last one.
        wait_for(lambda: "examples/commit_tree.py" in server.log_text(), server)
        self.told = server.log_text()
        welcome = WELCOME.search(self.told)
        assert welcome is not None, self.told
        self.email, self.password = welcome.groups()
        broker = AMQP.search(server.log_text())
        assert broker is not None, server.log_text()
        self.broker = broker[1]

    def ask(
        self, method: str, path: str, auth: tuple[str, str] | None = None, **options: Any
    ) -> Any:
        """What HTTP answers, to us or to somebody else."""
        url, auth = f"{self.server.http_url}/api/{path}", auth or (self.email, self.password)
        answer = requests.request(method, url, auth=auth, timeout=60, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def token(self) -> dict[str, Any]:
        return dict(self.ask("POST", "tokens", json={"device": {"name": "phone"}}))

    def log_in(self, user: str, password: str) -> pika.BlockingConnection:
        """A connection to the broker."""
        return pika.BlockingConnection(
            pika.URLParameters(f"amqp://{user}:{password}@{self.broker}/")
        )

    def type_in(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run what the welcome says, as it stands."""
        return subprocess.run(
            shlex.split(command),
            capture_output=True,
            text=True,
            env=environment_in(self.server.directory),
            cwd=self.server.directory,
            timeout=90,
        )


def wait_for(found: Callable[[], Any], server: StackSyncProcess, seconds: float = 60) -> Any:
    """What it finds, as soon as it does."""
    end = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < end, server.log_text()
        time.sleep(0.05)
    return answer


@pytest.fixture(scope="module")
def newcomer(test_run: TestRun) -> Iterator[Newcomer]:
    """On a service with its own database and broker, which all tests share."""
    server = StackSyncProcess(test_run.new_directory("stacksync"), "embedded", "auto")
    try:
        server.start()
        yield Newcomer(server)
    finally:
        server.kill()
        sweep(server.directory)


@pytest.fixture
def phone(newcomer: Newcomer) -> Iterator[pika.BlockingConnection]:
    """A device's connection to the private broker."""
    token = newcomer.token()
    with closing(newcomer.log_in(token["account_id"], token["token"])) as connection:
        yield connection


def test_the_printed_commands_work_as_they_stand(newcomer: Newcomer, tmp_path: Path) -> None:
    commands = [line.strip() for line in newcomer.told.splitlines()]
    (commit,) = (line for line in commands if "examples/commit_tree.py" in line)
    (watch,) = (line for line in commands if "examples/watch.py" in line)
    (curl,) = (line for line in commands if line.startswith("curl "))

    assert newcomer.email in newcomer.type_in(curl).stdout
    source = str(tmp_path)
    (tmp_path / "notes.txt").write_text("sun\n")
    told = newcomer.type_in(commit.replace(str(EXAMPLES.parent / "stacksync"), source))
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("1 folder, 1 file, 4 B, 0 deleted, 0 refused")
    assert newcomer.type_in(f"{watch} --once 0").stdout.startswith("hello me@localhost")


def test_a_token_is_kept_so_that_the_password_is_typed_once(
    newcomer: Newcomer, tmp_path: Path
) -> None:
    (commit,) = re.findall(r"\S+ \S*commit_tree.py .+", newcomer.told)
    commit = commit.replace(str(EXAMPLES.parent / "stacksync"), str(tmp_path))
    (tmp_path / "notes.txt").write_text("rain\n")
    newcomer.type_in(commit)
    kept = newcomer.server.directory / ".local/state/stacksync-examples/memory.json"
    assert SECRET.search(kept.read_text())
    assert kept.stat().st_mode & 0o777 == 0o600

    again = newcomer.type_in(commit.replace(newcomer.password, "forgotten"))
    assert again.returncode == 0, again.stderr
    for token in newcomer.ask("GET", "tokens")["tokens"]:
        newcomer.ask("DELETE", f"tokens/{token['id']}")
    assert newcomer.type_in(commit.replace(newcomer.password, "forgotten")).returncode == 1
    assert newcomer.type_in(commit).returncode == 0


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("guest", "guest"),
        ("stacksync-service", "guest"),
        ("ACCOUNT", "guest"),
        ("ACCOUNT", "PASSWORD"),
        ("00000000-0000-4000-8000-000000000000", "TOKEN"),
    ],
)
def test_nobody_gets_into_the_broker_without_a_token_of_the_account(
    newcomer: Newcomer, user: str, password: str
) -> None:
    token = newcomer.token()
    password = {"TOKEN": token["token"], "PASSWORD": newcomer.password}.get(password, password)
    with pytest.raises(pika.exceptions.ProbableAuthenticationError, match="ACCESS_REFUSED"):
        newcomer.log_in(user.replace("ACCOUNT", token["account_id"]), password)


def test_the_operator_is_told_that_the_broker_asks(newcomer: Newcomer) -> None:
    told = newcomer.server.admin("check")
    assert told["problems"] == told["unknown"] == []
    assert any("asks the service" in note for note in told["notes"])
    assert any("takes us as administrator" in note for note in told["notes"])


def test_a_device_may_use_a_queue_of_its_own_and_nothing_of_the_services(
    phone: pika.BlockingConnection,
) -> None:
    assert phone.channel().queue_declare("", exclusive=True).method.queue.startswith("amq.gen-")
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        phone.channel().basic_get("ISyncService")


def test_a_revoked_token_ends_its_connection_within_seconds(newcomer: Newcomer) -> None:
    token = newcomer.token()
    connection = newcomer.log_in(token["account_id"], token["token"])
    newcomer.ask("DELETE", f"tokens/{token['id']}")
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker, match="CONNECTION_FORCED"):
        connection.process_data_events(time_limit=90)


def test_a_watcher_goes_on_with_what_it_still_may_hear_when_a_folder_is_unshared(
    newcomer: Newcomer, tmp_path: Path
) -> None:
    server = newcomer.server
    ben = server.add_user("ben@example.org")
    as_ben = (ben.email, ben.password)
    folder = newcomer.ask("POST", "folder", json={"name": "Photos"})["id"]
    newcomer.ask("POST", f"folder/{folder}/share", json=[ben.email])
    (waiting,) = newcomer.ask("GET", "shares", as_ben)["shares"]
    newcomer.ask("POST", f"shares/{waiting['id']}/accept", as_ben)
    person = Person(ben, f"amqp://{newcomer.broker}/", server.http_url, tmp_path / "state")

    watch = person.watch("amqp", "--http-url", server.http_url, "--once", "1")
    watch.wait_for("Photos is at revision")
    newcomer.ask("POST", f"folder/{folder}/unshare", json=[ben.email])
    watch.wait_for("hello ben@example.org, 1 workspace\n")

    newcomer.ask("POST", f"file?name=secret&parent={folder}", data=b"not for Ben")
    newcomer.ask("POST", "file?name=mine", as_ben, data=b"for Ben")
    told = watch.end()
    assert told.status == 0
    assert "  + mine  version 1, 7 B" in told.text
    assert "secret" not in told.text


def test_no_secret_of_the_broker_is_told_or_readable(newcomer: Newcomer) -> None:
    home = newcomer.server.directory / "home"
    kept = (home / "rabbitmq.questions").read_text()
    secrets = re.findall(r"[\w-]{43}", kept)
    assert len(secrets) == 2
    for secret in secrets:
        assert secret not in newcomer.server.log_text()
        assert secret not in (home / "rabbitmq.log").read_text(errors="replace")
    assert not SECRET.search(newcomer.server.log_text())
    for path in home.glob("rabbitmq*"):
        assert not path.stat().st_mode & 0o077, path


def test_a_second_process_shares_the_broker_and_answers_when_the_first_has_left(
    newcomer: Newcomer, start_server: Callable[..., StackSyncProcess]
) -> None:
    home = str(newcomer.server.directory / "home")
    token = newcomer.token()
    second = start_server("embedded", "auto", service={"home": home})
    for _ in range(8):  # either is asked
        newcomer.log_in(token["account_id"], token["token"]).close()
    newcomer.server.terminate()

    newcomer.log_in(token["account_id"], token["token"]).close()
    second.kill()
    with pytest.raises(pika.exceptions.ProbableAuthenticationError):
        newcomer.log_in(token["account_id"], token["token"])

    server = newcomer.server
    before = len(AMQP.findall(server.log_text()))
    server.start()
    newcomer.log_in(token["account_id"], token["token"]).close()
    now = wait_for(lambda: AMQP.findall(server.log_text())[before:], server)
    assert now == [newcomer.broker]
    assert newcomer.ask("GET", "account")["email"] == newcomer.email
    assert len(WELCOME.findall(newcomer.server.log_text())) == 1


def test_it_leaves_nothing_running(newcomer: Newcomer) -> None:
    server, email = newcomer.server, newcomer.email
    assert server.admin("user", "show", email)["email"] == email
    assert server.running

    server.terminate()
    assert remaining(server.directory) == []
    assert server.admin("user", "show", email)["email"] == email
    # As the other tests look for it.
    server.start()
