"""An operator looks after accounts and schema, of a configured and of the embedded database."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import argon2
import psycopg2
import pytest

from stacksync import __version__
from tests.servers.programs import SOURCES, environment_in
from tests.servers.stacksync import run_admin
from tests.servers.sweeper import remaining

ANNA = "anna@example.org"


class Operator:
    """Somebody who types ``stacksync-admin`` with the settings of one database."""

    def __init__(self, directory: Path, database_url: str, patience: str = "30s") -> None:
        self.directory = directory
        self.settings = directory / "stacksync.ini"
        self.settings.write_text(
            f"[database]\nurl = {database_url}\nwait_timeout = {patience}\n"
            "[auth]\nargon2_time_cost = 1\nargon2_memory = 1M\n"
        )

    def types(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return run_admin(self.directory, "-c", str(self.settings), *arguments, text=text)

    def reads(self, *arguments: str, text: str = "") -> str:
        answer = self.types(*arguments, text=text)
        assert answer.returncode == 0, answer.stderr
        assert answer.stderr == ""
        return answer.stdout

    def gets(self, *arguments: str, text: str = "") -> Any:
        return json.loads(self.reads("--json", *arguments, text=text))

    def is_refused(self, *arguments: str, text: str = "") -> str:
        answer = self.types(*arguments, text=text)
        assert answer.returncode == 1
        assert answer.stdout == ""
        return answer.stderr


@pytest.fixture
def operator(new_directory: Callable[[str], Path], database_dsn: str) -> Operator:
    return Operator(new_directory("operator"), database_dsn)


def stored_hash(dsn: str, email: str) -> str:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT password_hash FROM account WHERE email = %s", [email])
        return str(cursor.fetchone()[0])


def test_an_account_is_made_shown_changed_and_listed(operator: Operator) -> None:
    made = operator.gets(
        "user", "add", ANNA, "--quota", "1G", "--password-stdin", text="a secret\n"
    )
    assert made["email"] == ANNA
    assert made["name"] == "anna"
    assert made["quota_limit"] == 1024**3
    assert made["quota_used"] == 0
    assert "password" not in made
    assert len(made["workspaces"]) == 1
    assert operator.gets("user", "show", ANNA.upper()) == made

    changed = operator.gets(
        "user", "set", ANNA, "--name", "Anna", "--quota", "2G", "--email", "a@example.org"
    )
    assert changed == made | {"email": "a@example.org", "name": "Anna", "quota_limit": 2 * 1024**3}

    assert "a@example.org  Anna  0 B   2 GiB" in operator.reads("user", "list")
    del changed["workspaces"]
    assert operator.gets("user", "list") == {"accounts": [changed]}


def test_passwords_are_stored_as_hashes_of_what_was_given(
    operator: Operator, database_dsn: str
) -> None:
    operator.reads("user", "add", ANNA, "--password-stdin", text="the first\n")
    verify = argon2.PasswordHasher().verify
    assert verify(stored_hash(database_dsn, ANNA), "the first")
    told = operator.gets("user", "set", ANNA, "--password-stdin", text="the second\n")
    assert told["revoked"] == 0
    assert verify(stored_hash(database_dsn, ANNA), "the second")
    operator.reads("user", "set", ANNA, "--name", "Anna")
    assert verify(stored_hash(database_dsn, ANNA), "the second")


def test_a_new_password_revokes_what_the_one_before_has_given_out(
    operator: Operator, database_dsn: str
) -> None:
    operator.reads("user", "add", ANNA)
    with closing(psycopg2.connect(database_dsn)) as connection, connection:
        connection.cursor().execute(
            "WITH d AS (INSERT INTO device (account_id, name) SELECT id, 'x' FROM account"
            " RETURNING id, account_id)"
            " INSERT INTO token (account_id, device_id, name, scope, secret_hash)"
            " SELECT account_id, id, 'x', 'sync', 'x' FROM d"
        )

    told = operator.reads("user", "passwd", ANNA)

    assert f"{ANNA} has a new password; 1 token is revoked" in told
    (line,) = (line for line in told.splitlines() if line.startswith("Password"))
    assert argon2.PasswordHasher().verify(stored_hash(database_dsn, ANNA), line.split()[1])
    again = operator.gets("user", "passwd", ANNA, "--password-stdin", text="the third\n")
    assert again == {"email": ANNA, "revoked": 0}
    assert "no such account" in operator.is_refused("user", "passwd", "b@example.org")


def test_a_password_that_was_made_up_is_told_once(operator: Operator, database_dsn: str) -> None:
    told = operator.reads("user", "add", ANNA)
    (line,) = (line for line in told.splitlines() if line.startswith("Password"))
    password = line.split()[1]
    assert argon2.PasswordHasher().verify(stored_hash(database_dsn, ANNA), password)
    assert password not in operator.reads("user", "show", ANNA)
    machine = operator.gets("user", "add", "b@example.org")
    assert argon2.PasswordHasher().verify(
        stored_hash(database_dsn, "b@example.org"), machine["password"]
    )


def test_what_cannot_be_done_is_told_with_status_1(operator: Operator) -> None:
    operator.reads("user", "add", ANNA)
    assert "no such account: b@example.org" in operator.is_refused("user", "show", "b@example.org")
    assert "no such account" in operator.is_refused("user", "set", "b@example.org", "--name", "B")
    assert "exists already" in operator.is_refused("user", "add", ANNA.upper())
    assert "'anna' is not an e-mail" in operator.is_refused("user", "add", "anna")
    refused = operator.is_refused("user", "passwd", ANNA, "--password-stdin", text="hallo123")
    assert "password: is one of the commonest" in refused
    error = json.loads(operator.is_refused("--json", "user", "show", "b@example.org"))
    assert error == {
        "error": {"kind": "AccountNotFound", "message": "no such account: b@example.org"}
    }


def test_without_accounts_it_says_how_to_make_one(operator: Operator) -> None:
    assert "stacksync-admin user add EMAIL" in operator.reads("user", "list")


def test_an_empty_database_is_migrated_on_request_only(
    new_directory: Callable[[str], Path], empty_database_dsn: str
) -> None:
    operator = Operator(new_directory("operator"), empty_database_dsn)
    assert "run stacksync-admin db migrate" in operator.is_refused("user", "list")
    before = operator.types("--json", "db", "status")
    assert before.returncode == 1
    found = json.loads(before.stdout)
    assert not found["current"]
    assert not found["applied"]

    assert f"applied {found['pending'][0]}" in operator.gets("db", "migrate")["done"]
    after = operator.gets("db", "status")
    assert after["current"]
    assert after["functions_current"]
    assert after["applied"] == found["pending"]
    assert "up to date already" in operator.reads("db", "migrate")
    assert "no accounts" in operator.reads("user", "list")


def test_a_database_that_is_away_is_named(new_directory: Callable[[str], Path]) -> None:
    away = "postgresql://127.0.0.1:1/stacksync"
    operator = Operator(new_directory("operator"), away, patience="1s")
    for command in (("user", "list"), ("db", "status"), ("db", "migrate")):
        assert "database: " in operator.is_refused(*command)


def test_settings_may_come_from_the_environment(operator: Operator) -> None:
    operator.reads("user", "add", ANNA)
    variable = {"STACKSYNC_CONFIG": str(operator.settings)}
    answer = run_admin(operator.directory, "user", "show", ANNA, **variable)
    assert answer.returncode == 0
    answer = run_admin(operator.directory, "user", "show", ANNA, STACKSYNC_CONFIG="/nowhere.ini")
    assert answer.returncode == 1
    assert "/nowhere.ini: can't be read" in answer.stderr


def test_it_says_which_version_it_is(new_directory: Callable[[str], Path]) -> None:
    answer = run_admin(new_directory("operator"), "--version")
    assert answer.stdout == f"stacksync-admin {__version__}\n"


def test_the_embedded_database_runs_only_as_long_as_it_is_needed(
    new_directory: Callable[[str], Path],
) -> None:
    directory = new_directory("operator")
    added = run_admin(directory, "user", "add", ANNA, "--json")
    assert added.returncode == 0, added.stderr
    assert added.stderr == ""
    assert remaining(directory) == []
    assert ANNA in run_admin(directory, "user", "list").stdout
    assert json.loads(run_admin(directory, "--json", "db", "status").stdout)["current"]
    assert remaining(directory) == []


def test_an_operator_who_gives_up_leaves_nothing_running(
    new_directory: Callable[[str], Path],
) -> None:
    directory = new_directory("operator")
    for sign in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen(
            [sys.executable, "-c", SOURCES["stacksync-admin"], "user", "list"],
            env=environment_in(directory),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # A shell in the background would have had it ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        ) as process:
            end = time.monotonic() + 60
            # At once: it does not run for long.
            while not list(directory.glob("home/postgres*/postmaster.pid")):
                assert time.monotonic() < end
                assert process.poll() is None
            process.send_signal(sign)
            process.wait(60)
        assert remaining(directory) == []
