"""What an answer gives can be used as its links say: the id of a new file, to read that file."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocols.http.openapi.belongings import Belongings
from tests.protocols.http.openapi.conformity import check_answer
from tests.protocols.http.openapi.example_requests import OPERATIONS, Part, send

BODY = "$response.body#/"
LINKS = [
    pytest.param(name, code, link, id=f"{name}-{link['operationId']}")
    for name, operation in OPERATIONS.items()
    for code, link in operation.links
]


def meant(expression: str, body: Any) -> Any:
    """The value of a runtime expression, which is a JSON pointer into the answer's body."""
    assert expression.startswith(BODY)
    for name in expression.removeprefix(BODY).split("/"):
        body = body[int(name) if isinstance(body, list) else name]
    return body


@pytest.mark.parametrize(("name", "code", "link"), LINKS)
def test_what_an_answer_gives_can_be_used(
    belongings: Belongings, name: str, code: int, link: Part
) -> None:
    first = send(name, belongings)
    told = first.json()

    second = send(
        link["operationId"],
        belongings,
        **{name: meant(value, told) for name, value in link["parameters"].items()},
    )

    assert first.status_code == code
    check_answer(link["operationId"], second)


def test_a_file_that_is_made_can_be_followed_to_its_end() -> None:
    led_to = {link["operationId"] for _, link in OPERATIONS["createFile"].links}

    assert led_to >= {"showFile", "downloadFile", "replaceContent", "changeFile", "deleteFile"}
    assert [link["operationId"] for _, link in OPERATIONS["deleteFile"].links] == ["restoreFile"]
