"""Conditional requests are answered as described, wherever their headers are described."""

from __future__ import annotations

import pytest

from tests.protocols.http.openapi.belongings import Belongings
from tests.protocols.http.openapi.conformity import check_answer
from tests.protocols.http.openapi.example_requests import OPERATIONS, request

CONDITIONS = ("If-Match", "If-None-Match", "Range", "If-Range")
CASES = [
    ("If-Match", '"99"', 412),
    ("If-None-Match", "*", 304),
    ("Range", "bytes=0-3", 206),
    ("Range", "bytes=99-", 416),
]


def having(parameter: str) -> list[str]:
    """The operations that are described with this parameter."""
    return sorted(
        name
        for name, operation in OPERATIONS.items()
        if parameter in {each["name"] for each in operation.parameters}
    )


@pytest.mark.parametrize(
    ("name", "header", "value", "code"),
    [(name, *case) for case in CASES for name in having(case[0])],
)
def test_a_condition_is_answered_as_described(
    belongings: Belongings, name: str, header: str, value: str, code: int
) -> None:
    asked = request(name, belongings)
    others = {each: told for each, told in asked["headers"].items() if each not in CONDITIONS}

    answer = belongings.try_to(**{**asked, "headers": {**others, header: value}})

    assert answer.status_code == code
    check_answer(name, answer)


def test_there_are_conditions_to_try() -> None:
    assert all(having(header) for header, _, _ in CASES)
