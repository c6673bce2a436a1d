"""What a description of an API is made of: operations, parameters, bodies, answers.

Plain dictionaries in the words of the OpenAPI 3.1 specification, made by
functions that spare each noun the nesting.  Knows nothing of StackSync.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from attrs import field, frozen

Part = dict[str, Any]

JSON = "application/json"
BYTES = "application/octet-stream"


@frozen
class Operation:
    """What one method does at one path.

    :ivar name: the ``operationId``, which generated clients call it by.
    :ivar summary: in one line.
    :ivar answers: by status code.
    :ivar description: what a client developer has to know, in CommonMark.
    :ivar parameters: besides those of the path.
    :ivar open_to_all: nobody need sign in.
    :ivar by_applications: signed by an application that acts for nobody yet.
    """

    name: str
    summary: str
    answers: Mapping[int, Part]
    description: str = ""
    parameters: tuple[Part, ...] = ()
    body: Part | None = None
    open_to_all: bool = False
    by_applications: bool = False


@frozen
class Path:
    """What can be done at one path.

    :ivar template: with the variable segments in braces.
    :ivar tag: the noun that it belongs to.
    :ivar operations: by method, in lower case.
    :ivar parameters: those of the path, which all operations have.
    """

    template: str
    tag: str
    operations: Mapping[str, Operation]
    parameters: tuple[Part, ...] = field(default=())


def described(path: Path) -> Part:
    """A path as the Path Item Object of a document."""
    told: Part = {"parameters": list(path.parameters)} if path.parameters else {}
    for method, operation in path.operations.items():
        told[method] = described_operation(operation, path.tag)
    return told


def described_operation(operation: Operation, tag: str) -> Part:
    told: Part = {"operationId": operation.name, "tags": [tag], "summary": operation.summary}
    if operation.description:
        told["description"] = operation.description
    if operation.parameters:
        told["parameters"] = list(operation.parameters)
    if operation.body is not None:
        told["requestBody"] = operation.body
    told["responses"] = {
        str(int(code)): answer for code, answer in sorted(operation.answers.items())
    }
    if operation.open_to_all:
        told["security"] = []
    elif operation.by_applications:
        told["security"] = [{"application": []}]
    return told


def ref(kind: str, name: str) -> Part:
    """A reference to a component: ``ref("schemas", "File")``."""
    return {"$ref": f"#/components/{kind}/{name}"}


def schema(name: str) -> Part:
    return ref("schemas", name)


def parameter(
    where: str,
    name: str,
    kind: Part,
    description: str,
    *,
    required: bool = False,
    example: Any = None,
) -> Part:
    """A parameter in the ``path``, the ``query`` or a ``header``.

    :param kind: its schema.
    """
    told: Part = {"name": name, "in": where, "description": description, "schema": kind}
    if required or where == "path":
        told["required"] = True
    if example is not None:
        told["example"] = example
    return told


def header(kind: Part, description: str, *, optional: bool = False) -> Part:
    """A header of an answer, which is always there unless it is optional."""
    return {"description": description, "schema": kind, "required": not optional}


def json_body(kind: Part, example: Any, description: str = "", *, optional: bool = False) -> Part:
    """A request's body in JSON.

    :param example: one that a server accepts.
    """
    told: Part = {"content": {JSON: {"schema": kind, "example": example}}, "required": not optional}
    return {"description": description, **told} if description else told


def bytes_body(description: str, media: str = BYTES, *, optional: bool = False) -> Part:
    """A request's body that is taken as it is, byte by byte, while it arrives."""
    return {
        "description": description,
        "content": {media: {"schema": {"type": "string", "format": "binary"}}},
        "required": not optional,
    }


def answer(
    description: str,
    kind: Part | None = None,
    *,
    headers: Mapping[str, Part] | None = None,
    links: Mapping[str, Part] | None = None,
    media: str = JSON,
    example: Any = None,
) -> Part:
    """An answer; without a schema it has no body."""
    told: Part = {"description": description}
    if headers:
        told["headers"] = dict(headers)
    if kind is not None:
        told["content"] = {media: {"schema": kind}}
        if example is not None:
            told["content"][media]["example"] = example
    if links:
        told["links"] = dict(links)
    return told


def bytes_answer(description: str, headers: Mapping[str, Part], media: str = "*/*") -> Part:
    """An answer that is content, not a description of it."""
    kind: Part = {"type": "string", "format": "binary"}
    return answer(description, kind, headers=headers, media=media)


def link(operation: str, description: str, **parameters: str) -> Part:
    """What can be asked next with something from an answer.

    :param operation: the name of the operation that it leads to.
    :param parameters: of that operation, as runtime expressions.
    """
    return {"operationId": operation, "parameters": parameters, "description": description}


def record(properties: Mapping[str, Part], description: str = "", *, optional: str = "") -> Part:
    """The schema of an object that an answer tells.

    :param optional: the names that may be missing, separated by spaces.
    """
    missing = optional.split()
    told: Part = {"description": description} if description else {}
    return {
        **told,
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in missing],
    }


def asked(properties: Mapping[str, Part], description: str = "", *, required: str = "") -> Part:
    """The schema of an object that a request brings; other names are refused.

    :param required: the names that must be there, separated by spaces.
    """
    told: Part = {"description": description} if description else {}
    told |= {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        told["required"] = required.split()
    return told


def reason(code: int) -> str:
    """The usual phrase of a status code."""
    return HTTPStatus(code).phrase
