"""What the server answers to requests of all kinds is what the description says.

Schemathesis makes the requests: each value that a parameter may have at its
bounds, beyond them, of other types, left out; and mixtures of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.case import Case
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from stacksync.protocols.http.openapi.document import document
from stacksync.protocols.http.openapi.uploads import PIECE
from tests.protocols.http.openapi.belongings import EMAIL, PASSWORD, Belongings
from tests.protocols.http.openapi.example_requests import ENDLESS, OPERATIONS, SIGNED
from tests.protocols.http.openapi.strictness import strict

# Whether there is such a thing, and whether it has that version, is for the database to say.
ACCEPTED = ["2xx", "304", "403", "404", "409", "410", "412", "416"]
REFUSED = ["400", "401", "404", "405", "409", "411", "412", "413", "415"]

CONFIG = {
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

HEADER, PATH = ParameterLocation.HEADER, ParameterLocation.PATH
QUERY, BODY = ParameterLocation.QUERY, ParameterLocation.BODY

api = schemathesis.openapi.from_dict(
    strict(document()), config=SchemathesisConfig.from_dict(CONFIG)
)


@schemathesis.serializer(PIECE)
def piece(context: Any, value: Any) -> bytes:
    """A piece of an upload is bytes, as any other content is."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def strangers() -> Iterator[requests.Session]:
    """Connections of somebody who has not signed in; who does is said in each request."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def conformance(operation: str) -> Callable[..., None]:
    """The test that an operation is as it is described."""

    @api.include(operation_id=operation).parametrize()
    def test(case: Case[Any], belongings: Belongings, strangers: requests.Session) -> None:
        make_sense(case, belongings)

        case.call_and_validate(
            base_url=belongings.url, session=strangers, excluded_checks=excluded(case)
        )

    return test


# A function for each: Schemathesis would make the tests of all operations from one, but pytest
# knows a test by its function, and would take them for one.
for name in sorted(OPERATIONS.keys() - ENDLESS):
    globals()[f"test_{name}_answers_as_it_is_described"] = conformance(name)


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
    if "StackSync-Device" in case.headers and not headers_are_meant:
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
