"""Requests made of the examples in the description.

An example names things that are on nobody's server; in the requests others
stand in for them that are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests
from attrs import frozen

from stacksync.protocols.http.openapi.document import document
from tests.protocols.http.openapi.belongings import Belongings

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
JSON = "application/json"
BYTES = b"hello world"
DOCUMENT = document()

Part = dict[str, Any]


@frozen
class DescribedOperation:
    """An operation of the description.

    :ivar parameters: those of its path included, without references.
    """

    path: str
    method: str
    told: Part
    parameters: list[Part]

    @property
    def body(self) -> Part:
        """The media types that its body may have, with what is said of them."""
        content: Part = resolved(self.told.get("requestBody", {})).get("content", {})
        return content

    @property
    def links(self) -> Iterator[tuple[int, Part]]:
        """The links of its answers, with the status code."""
        for code, answer in self.told["responses"].items():
            for link in resolved(answer).get("links", {}).values():
                yield int(code), link


def resolved(part: Any) -> Any:
    """What a reference leads to; anything else as it is."""
    while isinstance(part, dict) and "$ref" in part:
        _, *names = part["$ref"].split("/")
        part = DOCUMENT
        for name in names:
            part = part[name]
    return part


def operations() -> Iterator[DescribedOperation]:
    """All of the description."""
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                told = [*item.get("parameters", ()), *item[method].get("parameters", ())]
                parameters = [resolved(each) for each in told]
                yield DescribedOperation(path, method.upper(), item[method], parameters)


OPERATIONS = {operation.told["operationId"]: operation for operation in operations()}

# Nobody who waits for the end of its answer comes to an end himself.
ENDLESS = frozenset(["listen"])

# No example can be signed anew, nor bring the cookie of a page.
SIGNED = frozenset(
    [
        *("giveRequestToken", "giveAccessToken", "showQuestion", "answerQuestion"),
        *("showApplicationsForm", "answerApplicationsForm"),
    ]
)


def send(name: str, belongings: Belongings, **given: Any) -> requests.Response:
    """Ask what an operation's examples ask; the answer, which is no error.

    :param given: parameters that are to be other than in the examples.
    """
    return belongings.ask(**request(name, belongings, **given))


def request(name: str, belongings: Belongings, **given: Any) -> dict[str, Any]:
    """A request of an operation's examples, see :func:`send`."""
    operation = OPERATIONS[name]
    told = {each["name"]: each["example"] for each in operation.parameters if "example" in each}
    told |= {} if given else belongings.in_path(operation.method, operation.path)
    told["StackSync-Device"] = belongings.lasting(belongings.device, "device")
    # A key counts for all requests of a device, and these are different ones.
    told["Idempotency-Key"] = f"{name}-{belongings.number()}"
    if "parent" in told:
        # Where no earlier request has taken the name.
        told["parent"] = belongings.folder()
    told |= given
    if given or name in ("restoreFile", "restoreFolder"):
        # It has come to another version meanwhile.
        told["If-Match"] = "*"
        told.pop("If-None-Match", None)
    headers = {name: str(value) for name, value in those_in("header", operation, told)}
    return {
        "method": operation.method,
        "path": operation.path.format(**told),
        "params": {name: text(value) for name, value in those_in("query", operation, told)},
        "headers": headers,
        **body(operation, headers, belongings),
    }


def those_in(where: str, operation: DescribedOperation, told: Part) -> Iterator[tuple[str, Any]]:
    for parameter in operation.parameters:
        if parameter["in"] == where and parameter["name"] in told:
            yield parameter["name"], told[parameter["name"]]


def body(operation: DescribedOperation, headers: dict[str, str], belongings: Belongings) -> Part:
    """What a request of the example has as its body."""
    if JSON in operation.body:
        example = dict(operation.body[JSON]["example"])
        if "device_id" in example:
            example["device_id"] = belongings.lasting(belongings.device, "device")
        if "request_id" in example:
            del headers["Idempotency-Key"]
        if "parent" in example:
            example["parent"] = belongings.folder()
        return {"json": example}
    for media in operation.body:
        headers["Content-Type"] = media
        return {"data": BYTES}
    return {}


def text(value: Any) -> str:
    """A value as it stands in a query."""
    return str(value).lower() if isinstance(value, bool) else str(value)
