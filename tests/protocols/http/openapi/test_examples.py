"""Each example in the description is what it should be, and the server accepts it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from tests.protocols.http.openapi.belongings import Belongings
from tests.protocols.http.openapi.conformity import check_answer
from tests.protocols.http.openapi.example_requests import (
    DOCUMENT,
    ENDLESS,
    JSON,
    OPERATIONS,
    SIGNED,
    Part,
    send,
)


def with_examples(part: Any, where: str = "#") -> Iterator[tuple[str, Part, Any]]:
    """Whatever has a schema and an example of it: where, schema, example."""
    if isinstance(part, dict):
        if "schema" in part and "example" in part:
            yield where, part["schema"], part["example"]
        if "type" in part and "examples" in part:
            for example in part["examples"]:
                yield where, part, example
        for name, value in part.items():
            yield from with_examples(value, f"{where}/{name}")
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from with_examples(value, f"{where}/{index}")


def test_each_example_is_what_its_schema_says() -> None:
    found = list(with_examples(DOCUMENT))

    assert len(found) > 50
    for where, schema, example in found:
        validator = OAS31Validator({**schema, "components": DOCUMENT["components"]})
        assert validator.is_valid(example), where


def test_each_body_in_json_has_an_example() -> None:
    for name, operation in OPERATIONS.items():
        assert JSON not in operation.body or "example" in operation.body[JSON], name


def test_each_parameter_in_a_path_has_an_example() -> None:
    for name, operation in OPERATIONS.items():
        for parameter in operation.parameters:
            assert parameter["in"] != "path" or "example" in parameter, (name, parameter["name"])


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - ENDLESS - SIGNED))
def test_the_server_accepts_a_request_of_all_the_examples(
    name: str, belongings: Belongings
) -> None:
    check_answer(name, send(name, belongings))
