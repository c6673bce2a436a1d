"""What the server answers to requests of all kinds is what the description says.

Schemathesis makes the requests: each value that a parameter may have at its
bounds, beyond them, of other types, left out; and mixtures of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
import requests
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.case import Case
from schemathesis.generation.hypothesis.builder import (
    HypothesisTestConfig,
    HypothesisTestMode,
    InvalidHeadersExampleMark,
    InvalidRegexMark,
    MissingPathParameters,
    NonSerializableMark,
    UnsatisfiableExampleMark,
    create_test,
)
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from stacksync.protocols.http.openapi.document import document
from stacksync.protocols.http.openapi.uploads import PIECE
from tests.protocols.http.openapi.belongings import EMAIL, PASSWORD, Belongings
from tests.protocols.http.openapi.example_requests import ENDLESS, OPERATIONS, SIGNED
from tests.protocols.http.openapi.strictness import strict

# Whether there is such a thing, and whether it has that version, is for the database to say.
ACCEPTED = ["2xx", "304", "403", "404", "409", "410", "412", "416"]
REFUSED = ["400", "401", "404", "405", "409", "411", "412", "413", "415"]

CONFIG = {
    "request-timeout": 60.0,
    "auth": {"openapi": {"password": {"username": EMAIL, "password": PASSWORD}}},
    # What is in our source must not decide what is tried, or each change of it might.
    "analysis": {"constants": {"enabled": False}},
    "generation": {
        "deterministic": True,
        "max-examples": 3,
        "database": "none",
        "with-security-parameters": False,
    },
    "checks": {
        "positive_data_acceptance": {"expected-statuses": ACCEPTED},
        "negative_data_rejection": {"expected-statuses": REFUSED},
        "missing_required_header": {"expected-statuses": ["400", "412", "415"]},
    },
}

# Their patterns have characters that Schemathesis does not put into headers: it puts a 0 instead.
BEYOND_IT = ("If-Match", "If-None-Match", "Upload-Checksum")

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# What says that something of an operation can't be tried.
LEFT_OUT = (
    InvalidHeadersExampleMark,
    InvalidRegexMark,
    MissingPathParameters,
    NonSerializableMark,
    UnsatisfiableExampleMark,
)

HEADER, PATH = ParameterLocation.HEADER, ParameterLocation.PATH
QUERY, BODY = ParameterLocation.QUERY, ParameterLocation.BODY


@schemathesis.serializer(PIECE)
def piece(context: Any, value: Any) -> bytes:
    """A piece of an upload is bytes, as any other content is."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture
def api() -> OpenApiSchema:
    """The description, as Schemathesis reads it; it remembers what it has made."""
    return schemathesis.openapi.from_dict(
        strict(document()), config=SchemathesisConfig.from_dict(CONFIG)
    )


@pytest.fixture(scope="module")
def strangers() -> Iterator[requests.Session]:
    """Connections of somebody who has not signed in; who does is said in each request."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - ENDLESS))
def test_an_operation_answers_as_it_is_described(
    name: str, api: OpenApiSchema, belongings: Belongings, strangers: requests.Session
) -> None:
    tried = []

    def send(case: Case[Any]) -> None:
        tried.append(case)
        make_sense(case, belongings)
        case.call_and_validate(
            base_url=belongings.url, session=strangers, excluded_checks=excluded(case)
        )

    trial = requests_for(api.find_operation_by_id(name), send)

    trial()
    assert tried
    assert [mark for mark in LEFT_OUT if mark.is_set(trial)] == []


def requests_for(
    operation: APIOperation[Any, Any, Any, Any], send: Callable[[Case[Any]], None]
) -> Callable[[], None]:
    """Sends what there is to be tried of an operation.

    They are made here and not by ``api.parametrize()``, which makes all of them when tests are
    collected, in each process of a run.
    """
    settings = operation.schema.config.get_hypothesis_settings(operation=operation, phase="fuzzing")
    made = HypothesisTestConfig(
        project=operation.schema.config, modes=list(HypothesisTestMode), settings=settings
    )
    return create_test(operation=operation, test_func=send, config=made)


def make_sense(case: Case[Any], belongings: Belongings) -> None:
    """Let a request be about something that is there, and say one thing."""
    headers_are_meant = case.meta.is_negative_at(HEADER) and case.meta.generation.mode.is_negative
    # Whoever adds headers of his own to a request does nothing wrong.
    case.headers.pop("x-schemathesis-unknown-property", None)
    for name in BEYOND_IT:
        if case.headers.get(name) == "0" and not headers_are_meant:
            del case.headers[name]
    if case.path_parameters and not case.meta.is_negative_at(PATH):
        case.path_parameters.update(belongings.in_path(case.method, case.path))
    if "StackSync-Device" in case.headers and (
        not headers_are_meant or is_identity(case.headers["StackSync-Device"])
    ):
        case.headers["StackSync-Device"] = belongings.lasting(belongings.device, "device")
    if isinstance(case.body, dict) and "request_id" in case.body:
        case.headers.pop("Idempotency-Key", None)
    if not case.meta.is_negative_at(QUERY):
        # Only a listing knows what comes after a page, and all time zones need a day's room.
        case.query.pop("after", None)
        if str(case.query.get("modified_at"))[:10] in ("0001-01-01", "9999-12-31"):
            del case.query["modified_at"]
    if isinstance(case.body, dict) and not case.meta.is_negative_at(BODY):
        case.body = whole(case.body)
        if case.operation.definition.raw["operationId"] == "changePassword":
            # Whatever else it were, nobody could sign in to the requests that follow.
            case.body = {"password": PASSWORD}


def is_identity(text: str) -> bool:
    """Whether it could be a device's: what is wrong with the headers is something else."""
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def whole(value: Any) -> Any:
    """The same in JSON with 1 for 1.0: to JSON Schema these are one number, to the server not."""
    if isinstance(value, dict):
        return {name: whole(each) for name, each in value.items()}
    if isinstance(value, list):
        return [whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def excluded(case: Case[Any]) -> list[Any]:
    """The checks of what a schema can't tell."""
    if case.method == "OPTIONS":
        # Tells what can be done there, not whether something is there.
        return [negative_data_rejection]
    if case.operation.definition.raw["operationId"] in SIGNED:
        # Who is let in is not in the schema.
        return [positive_data_acceptance]
    if case.operation.definition.raw["operationId"] in ("createUpload", "continueUpload"):
        # Which headers go together, and with what was said before.
        return [positive_data_acceptance]
    if case.operation.definition.raw["operationId"] in ("shareFolder", "unshareFolder"):
        # Which addresses are the same but for their case, and who has to do with the folder.
        return [positive_data_acceptance]
    return []
