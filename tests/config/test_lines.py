"""An INI file cut into sections and entries, with line numbers."""

from __future__ import annotations

import pytest

from stacksync.config.lines import Entry, Problem, cut


def test_entries_know_their_section_and_line() -> None:
    lines = cut("# settings\n\n[amqp]\nurl = auto\n ; more\n[http]\n  listen=off  \n")

    assert lines.sections == {"amqp": 3, "http": 6}
    assert lines.entries == [Entry("amqp", "url", "auto", 4), Entry("http", "listen", "off", 7)]
    assert lines.problems == []


@pytest.mark.parametrize(
    "value", ["a=b=c", "50%", "%(home)s", '"quoted"', "a # b", "tcp:80:interface=::1", ""]
)
def test_a_value_is_taken_as_it_stands(value: str) -> None:
    assert [entry.text for entry in cut(f"[a]\nb = {value}").entries] == [value]


def test_line_ends_of_another_system_do_no_harm() -> None:
    assert cut("[a]\r\nb = c\r\n").entries == [Entry("a", "b", "c", 2)]


@pytest.mark.parametrize(
    "line", ["[a", "a]", "[]", "word", "two words = 1", "= 1", "a: b", "a:b=c"]
)
def test_a_line_of_another_form_is_a_problem_and_is_not_quoted(line: str) -> None:
    lines = cut(f"[section]\n{line}")

    assert lines.problems == [
        Problem(2, "this is neither [section] nor name = value nor a # comment")
    ]


def test_an_entry_needs_a_section() -> None:
    assert cut("a = 1").problems == [Problem(1, "a stands before the first [section]")]


def test_an_option_is_set_once() -> None:
    lines = cut("[a]\nb = 1\nc = 2\nb = 3")

    assert lines.problems == [Problem(4, "[a] b: is set already, on line 2")]
    assert [entry.text for entry in lines.entries] == ["1", "2"]


def test_a_section_stands_once() -> None:
    lines = cut("[a]\nb = 1\n[c]\n[a]\nd = 2")

    assert lines.problems == [
        Problem(4, "[a] is there already, on line 1; put the two together"),
    ]
    assert [entry.name for entry in lines.entries] == ["b", "d"]
