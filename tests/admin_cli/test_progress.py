"""Where a long command is, is shown in one line, and only to those who watch."""

from __future__ import annotations

import io

import pytest

from stacksync.admin_cli.progress import ERASE_LINE, INTERVAL, ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_line_takes_the_place_of_the_one_before() -> None:
    terminal, clock = Terminal(), Clock()
    line = ProgressLine(terminal, clock, wanted=True)
    line("first")
    clock.now += INTERVAL
    line("second")
    line.clear()
    assert terminal.getvalue() == f"{ERASE_LINE}first{ERASE_LINE}second{ERASE_LINE}"


def test_a_line_stays_for_a_moment() -> None:
    terminal = Terminal()
    line = ProgressLine(terminal, Clock(), wanted=True)
    line("first")
    line("too soon")
    assert terminal.getvalue() == f"{ERASE_LINE}first"


def test_nobody_steers_the_terminal_or_makes_the_line_wrap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    terminal = Terminal()
    ProgressLine(terminal, Clock(), wanted=True)("\x1b[31m" + "x" * 50)
    shown = terminal.getvalue().removeprefix(ERASE_LINE)
    assert shown == "\N{REPLACEMENT CHARACTER}[31mxxxx"


@pytest.mark.parametrize(
    ("stream", "wanted"), [(io.StringIO(), True), (Terminal(), False)], ids=["file", "unwanted"]
)
def test_nothing_is_shown_to_who_does_not_watch(stream: io.StringIO, wanted: bool) -> None:
    line = ProgressLine(stream, Clock(), wanted=wanted)
    line("first")
    line.clear()
    assert stream.getvalue() == ""
