"""Answers are tidy for people and exact for machines."""

from __future__ import annotations

import pytest

from stacksync.admin_cli.output import size, table


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (1024**2 - 1, "1 MiB"),
        (5 * 1024**3, "5 GiB"),
        (2**63 - 1, "8 EiB"),
    ],
)
def test_a_size_has_the_unit_that_reads_best(number: int, text: str) -> None:
    assert size(number) == text


def test_columns_line_up_and_lines_end_where_the_text_ends() -> None:
    assert table([("E-mail", "Name"), ("anna@example.org", "A"), ("b@c", "Bob")]) == [
        "E-mail            Name",
        "anna@example.org  A",
        "b@c               Bob",
    ]


def test_a_name_does_not_steer_the_terminal() -> None:
    (line,) = table([("\x1b[31mred\r\n", "next")])
    assert line == "\ufffd[31mred\ufffd\ufffd  next"
