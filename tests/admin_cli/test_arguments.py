"""The command line is read as an operator would expect, and wrong usage has status 2."""

from __future__ import annotations

import pytest

from stacksync.admin_cli.arguments import parse


def test_an_account_has_five_gigabytes_unless_told_otherwise() -> None:
    assert parse(["user", "add", "anna@example.org"]).quota == 5 * 1024**3
    assert parse(["user", "add", "anna@example.org", "--quota", "1T"]).quota == 1024**4


def test_what_set_leaves_out_stays() -> None:
    arguments = parse(["user", "set", "anna@example.org", "--name", "Anna"])
    assert (arguments.name, arguments.quota, arguments.new_email) == ("Anna", None, None)


def test_garbage_is_a_week_old_unless_told_otherwise() -> None:
    arguments = parse(["gc"])
    assert (arguments.noun, arguments.older_than, arguments.dry_run) == ("gc", 7 * 86400, False)
    assert parse(["gc", "--older-than", "12h", "--dry-run"]).older_than == 12 * 3600


def test_a_check_reads_everything_and_changes_nothing_unless_told_otherwise() -> None:
    arguments = parse(["fsck"])
    assert (arguments.noun, arguments.content, arguments.repair) == ("fsck", True, False)
    assert not parse(["fsck", "--no-content"]).content
    assert parse(["fsck", "--repair", "--json"]).repair


def test_an_empty_name_is_something_to_set() -> None:
    assert parse(["user", "set", "anna@example.org", "--name", ""]).name == ""


@pytest.mark.parametrize(
    "argv",
    [
        ["--json", "-c", "x.ini", "user", "list"],
        ["user", "list", "--json", "-c", "x.ini"],
        ["-c", "x.ini", "db", "status", "--json"],
    ],
)
def test_common_options_stand_anywhere(argv: list[str]) -> None:
    arguments = parse(argv)
    assert arguments.json
    assert arguments.config == "x.ini"


def test_without_common_options_there_are_defaults() -> None:
    arguments = parse(["user", "list"])
    assert not arguments.json
    assert arguments.config is None


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ([], "required: user|token|device|db|gc|fsck"),
        (["user"], "required: add|list|show|set"),
        (["user", "add"], "required: EMAIL"),
        (["user", "delete", "anna@example.org"], "invalid choice: 'delete'"),
        (["user", "add", "anna@example.org", "--quota", "5Q"], "'5Q' is not a size"),
        (["user", "add", "anna@example.org", "--quota", "-1"], "--quota"),
        (["user", "set", "anna@example.org"], "say what to change"),
        (["db", "migrate", "now"], "unrecognized arguments: now"),
        (["gc", "--older-than", "7"], "write 15ms, 10s, 2m, 1h or 7d"),
        (["gc", "--repair"], "unrecognized arguments: --repair"),
        (["fsck", "--dry-run"], "unrecognized arguments: --dry-run"),
    ],
)
def test_wrong_usage_is_told(
    argv: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(argv)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
