"""A newcomer reads what is up, who may sign in, and what to type next."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from stacksync.embedded import welcome
from stacksync.embedded.welcome import OneTimePassword, lines, make_password

ROOT = Path(__file__).parents[2]
HOME = Path("/home/anna/.local/share/stacksync")
HTTP = "http://127.0.0.1:8080"
AMQP = "amqp://127.0.0.1:25736/"
FIRST = OneTimePassword("me@localhost", "abcd-efgh-jkmn-pqrs")


def told(
    http_url: str | None = HTTP,
    amqp_url: str | None = AMQP,
    first: OneTimePassword | None = FIRST,
    takes_tokens: bool = True,
) -> str:
    return "\n".join(
        lines(
            home=HOME,
            http_url=http_url,
            amqp_url=amqp_url,
            amqp_note="why",
            first=first,
            takes_tokens=takes_tokens,
        )
    )


def test_passwords_are_readable_and_never_the_same() -> None:
    passwords = {make_password() for _ in range(100)}
    assert len(passwords) == 100
    for password in passwords:
        assert re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", password)
        assert not set(password) & set("ilo01")


def test_the_password_is_not_in_the_repr() -> None:
    assert FIRST.password not in repr(FIRST)


def test_the_first_start_shows_the_password_and_a_command_that_uses_it() -> None:
    text = told()
    assert "me@localhost, password abcd-efgh-jkmn-pqrs" in text
    assert f"curl -u me@localhost:abcd-efgh-jkmn-pqrs {HTTP}/api/account" in text


def test_later_starts_say_how_to_set_a_password() -> None:
    text = told(first=None)
    assert "stacksync-admin user passwd me@localhost" in text
    assert "shown" not in text


def test_the_command_for_a_password_is_about_this_service_and_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def command(home: Path, settings: Path | None) -> str:
        text = lines(
            home=home, http_url=HTTP, amqp_url=AMQP, amqp_note="", first=None, settings=settings
        )
        return next(line for line in text if "stacksync-admin" in line)

    monkeypatch.delenv("STACKSYNC_HOME", raising=False)
    assert "STACKSYNC_HOME" not in command(HOME, None)
    assert "stacksync-admin -c /etc/stacksync.ini user passwd" in command(
        HOME, Path("/etc/stacksync.ini")
    )
    monkeypatch.setenv("STACKSYNC_HOME", str(tmp_path))
    assert f" STACKSYNC_HOME={tmp_path} " in command(tmp_path, None)


def test_commands_are_offered_only_for_addresses_that_can_be_typed() -> None:
    text = told(http_url="unix:/run/stacksync/http.socket:mode=660", first=None)
    assert "HTTP     unix:/run/stacksync/http.socket:mode=660" in text
    assert "Try:" not in text


def test_where_keystone_keeps_the_passwords_none_is_offered() -> None:
    text = "\n".join(
        lines(
            home=HOME,
            http_url=HTTP,
            amqp_url=AMQP,
            amqp_note="why",
            first=None,
            keeps_passwords=False,
        )
    )
    assert "people sign in with what Keystone knows" in text
    assert "me@localhost" not in text


def test_it_says_where_everything_is() -> None:
    text = told()
    for place in (str(HOME), HTTP, f"{AMQP} (why)"):
        assert place in text


def test_the_examples_mix_the_protocols_and_can_be_typed_as_they_stand() -> None:
    watch, commit = (shlex.split(line) for line in told().splitlines()[-2:])
    for program, script, *_ in (watch, commit):
        assert Path(program).samefile(sys.executable)
        assert Path(script).is_file()
    assert watch[2:] == ["--via", "http", "--url", HTTP, "--password", FIRST.password]
    assert Path(commit[2]).is_dir()
    assert commit[3:] == [
        *("--via", "amqp", "--url", AMQP),
        *("--http-url", HTTP, "--password", FIRST.password),
    ]


def test_paths_are_as_short_as_they_can_be_where_one_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    assert " examples/watch.py " in told()
    monkeypatch.chdir(tmp_path)
    assert f" {ROOT / 'examples' / 'watch.py'} " in told()


def test_an_installed_copy_has_no_examples_to_offer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(welcome, "_ROOT", Path("/usr/lib/python3"))
    assert "watch.py" not in told()
    assert "curl" in told()


@pytest.mark.parametrize(("amqp_url", "takes_tokens"), [(None, False), (AMQP, False)])
def test_where_no_token_lets_one_in_to_a_broker_nothing_is_offered_through_it(
    amqp_url: str | None, takes_tokens: bool
) -> None:
    text = told(amqp_url=amqp_url, takes_tokens=takes_tokens)
    assert f"AMQP     {amqp_url or 'none'} (why)" in text
    assert "--via amqp" not in text
    assert f"--via http --url {HTTP}" in text.splitlines()[-1]


def test_without_http_nobody_gets_a_token_to_try_the_broker_with() -> None:
    assert "Try:" not in told(http_url=None)


def test_with_nothing_up_there_is_nothing_to_try() -> None:
    assert "Try:" not in told(http_url=None, amqp_url=None)
