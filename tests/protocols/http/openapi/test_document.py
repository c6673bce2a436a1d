"""The description as a whole: valid, complete, and nothing in it that leads nowhere."""

from __future__ import annotations

import json
import re
from collections import Counter

from openapi_spec_validator import OpenAPIV31SpecValidator

from stacksync.protocols.http.errors import CODES
from stacksync.protocols.http.openapi.problems import NAMES
from tests.protocols.http.openapi.example_requests import DOCUMENT, OPERATIONS, SIGNED, resolved

OPEN_TO_ALL = {
    "showLiveness",
    "showMetrics",
    "showReadiness",
    "describe",
    "describeUploads",
    "describeUpload",
    "showQuestion",
    "answerQuestion",
    "showApplicationsForm",
    "answerApplicationsForm",
    "showStyle",
}


def test_it_is_valid_openapi() -> None:
    problems = [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()]

    assert problems == []


def test_no_component_is_left_over() -> None:
    used = set(re.findall(r'"#/components/([^"]+)"', json.dumps(DOCUMENT)))
    kinds = ("schemas", "parameters", "responses")
    there = {f"{kind}/{name}" for kind in kinds for name in DOCUMENT["components"][kind]}

    assert there == used


def test_each_operation_has_a_name_of_its_own_and_a_summary() -> None:
    names = Counter(operation.told["operationId"] for operation in OPERATIONS.values())

    assert set(names.values()) == {1}
    assert [name for name, each in OPERATIONS.items() if not each.told["summary"]] == []


def test_each_tag_is_explained() -> None:
    explained = {tag["name"] for tag in DOCUMENT["tags"]}

    assert {tag for each in OPERATIONS.values() for tag in each.told["tags"]} == explained


def test_all_but_a_few_operations_need_a_sign_in() -> None:
    unsigned = {name for name, each in OPERATIONS.items() if each.told.get("security") == []}

    assert unsigned == OPEN_TO_ALL
    assert DOCUMENT["security"] == [
        {name: []} for name in ("password", "bearer", "token", "application")
    ]
    for name, each in OPERATIONS.items():
        assert ("401" in each.told["responses"]) == (name not in OPEN_TO_ALL), name


def test_each_code_of_the_servers_errors_is_described() -> None:
    told = {code for each in OPERATIONS.values() for code in each.told["responses"]}

    assert {int(code) for code in CODES.values()} <= set(NAMES)
    assert {str(code) for code in NAMES} <= told


def test_each_error_is_told_alike() -> None:
    for name, each in OPERATIONS.items():
        for code, told in each.told["responses"].items():
            content = resolved(told).get("content", {})
            if int(code) < 400 or not content or name in {"showReadiness", *SIGNED}:
                continue
            properties = resolved(content["application/json"]["schema"])["properties"]
            assert {"error", "description"} <= properties.keys(), (name, code)


def test_each_write_of_an_item_may_be_repeated_and_name_its_device() -> None:
    for name, each in OPERATIONS.items():
        is_write = each.method in ("POST", "PUT", "DELETE")
        if is_write and each.path.startswith(("/api/file", "/api/folder")):
            parameters = {parameter["name"] for parameter in each.parameters}
            assert {"Idempotency-Key", "StackSync-Device"} <= parameters, name
            # Sharing a folder does not change it.
            is_change = "{item}" in each.path and "sharing" not in each.told["tags"]
            assert ("If-Match" in parameters) == is_change, name
