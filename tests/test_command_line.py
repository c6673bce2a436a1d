"""The arguments of ``twistd stacksync``."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacksync import __version__
from stacksync.command_line import Options
from stacksync.config import Config, dump


@pytest.fixture
def good_file(tmp_path: Path) -> Path:
    path = tmp_path / "good.ini"
    path.write_text("[log]\nlevel = warn\n")
    return path


@pytest.fixture
def bad_file(tmp_path: Path) -> Path:
    path = tmp_path / "bad.ini"
    path.write_text("[amqp]\nprefetsh = 1\n[log]\nlevel = loud\n")
    return path


def exit_of(*arguments: str) -> int | str | None:
    """What the process would exit with: a status, or a text for stderr (and status 1)."""
    with pytest.raises(SystemExit) as caught:
        Options().parseOptions(arguments)
    return caught.value.code


def test_without_arguments_the_service_brings_its_own_parts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STACKSYNC_HOME", str(tmp_path))
    options = Options()
    options.parseOptions([])

    assert options.configuration == Config.embedded(tmp_path)


@pytest.mark.parametrize("flag", ["-c", "--config"])
def test_a_file_gives_the_settings(flag: str, good_file: Path) -> None:
    options = Options()
    options.parseOptions([flag, str(good_file)])

    assert options.configuration.log.level == "warn"
    assert options.configuration.amqp.identity == "broker"


def test_a_bad_file_ends_the_process_with_all_its_problems(bad_file: Path) -> None:
    assert exit_of("-c", str(bad_file)) == (
        f"{bad_file}:2: [amqp] prefetsh: no such option; did you mean prefetch?\n"
        f"{bad_file}:4: [log] level: 'loud' is not one of debug, info, warn, error, critical"
    )


def test_checking_a_good_file_says_so(good_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of("--check-config", "-c", str(good_file)) == 0
    assert capsys.readouterr().out == f"{good_file}: all settings are right\n"


def test_checking_a_bad_file_says_what_is_wrong(bad_file: Path) -> None:
    assert str(exit_of("--check-config", "-c", str(bad_file))).startswith(f"{bad_file}:2: ")


def test_checking_reads_the_certificates_that_the_file_names(tmp_path: Path) -> None:
    settings = tmp_path / "stacksync.ini"
    for section, told in (
        (
            f"[http]\ncertificate = {tmp_path}/own.pem\nkey = {tmp_path}/own.key",
            "http] certificate",
        ),
        (f"[amqp]\nurl = amqps://u:p@broker/\nca_file = {tmp_path}/ca.pem", "amqp] ca_file"),
    ):
        settings.write_text(f"{section}\n")
        answer = str(exit_of("--check-config", "-c", str(settings)))
        assert answer.startswith(f"{settings}: [{told}: {tmp_path}/")
        assert answer.endswith("can't be read: No such file or directory")


def test_checking_needs_a_file() -> None:
    assert exit_of("--check-config") == "--check-config needs a file to check: -c FILE"


def test_the_example_is_written_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of("--dump-config") == 0
    assert capsys.readouterr().out == dump()


def test_the_version_is_ours(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of("--version") == 0
    assert capsys.readouterr().out == f"stacksync {__version__}\n"


def test_the_help_names_every_option_and_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of("--help") == 0
    shown = capsys.readouterr().out

    for option in ("--config=", "--check-config", "--dump-config", "--version", "--help"):
        assert option in shown
    assert "\nTo run with them:    twistd -n stacksync -c stacksync.ini\n" in shown
