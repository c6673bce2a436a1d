"""The schemas of single values: ids, names, sizes, instants."""

from __future__ import annotations

from stacksync.protocols.http.openapi.parts import Part

INT64_MAX = 2**63 - 1

NUMBER: Part = {"type": "integer", "format": "int64", "minimum": 0, "maximum": INT64_MAX}
ITEM_ID: Part = {"type": "integer", "format": "int64", "minimum": 1, "maximum": INT64_MAX}
VERSION: Part = {**ITEM_ID, "description": "Counts the item's versions from 1."}
REVISION: Part = {**NUMBER, "description": "Counts the workspace's commits."}
UUID: Part = {"type": "string", "format": "uuid"}
SIZE: Part = {**NUMBER, "description": "Bytes."}
CHECKSUM: Part = {
    "type": "integer",
    "format": "int64",
    "minimum": -(2**63),
    "maximum": INT64_MAX,
    "description": "Adler-32 of the whole plain file (RFC 1950); 0 for a folder.",
}
INSTANT: Part = {
    "type": "string",
    "format": "date-time",
    "description": "ISO 8601 in UTC, with milliseconds.",
    "examples": ["2026-11-21T05:27:00.123Z"],
}
INSTANT_ASKED: Part = {
    "anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "integer", "minimum": -62135510400000, "maximum": 253402128000000},
    ],
    "description": "ISO 8601 with its time zone, or milliseconds since 1970.",
}
NAME: Part = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": "^[^/\\u0000]+$",
    "description": "1 to 255 bytes in UTF-8, no slash, no NUL; not `.` nor `..`.",
}
TEXT: Part = {"type": "string", "maxLength": 1000, "pattern": "^[^\\u0000]*$"}
EMAIL: Part = {"type": "string", "maxLength": 254}
REQUEST_ID: Part = {
    "type": "string",
    "minLength": 1,
    "maxLength": 128,
    "pattern": "^[^\\u0000]+$",
    "description": "At most 128 bytes in UTF-8; makes a repeat harmless, as `Idempotency-Key`.",
}
CHUNK_NAME: Part = {
    **NAME,
    "description": "`sha256-<SHA-256>-<plain size>` or `chk-<SHA-1>-<file id>` in our clients;"
    " any name of 1 to 255 bytes without slash or NUL.",
}
PARENT: Part = {**NUMBER, "description": "The id of a folder; 0 is the root."}
FLAG: Part = {"type": "boolean"}


def nullable(kind: Part) -> Part:
    """The same, or null."""
    if isinstance(kind.get("type"), str):
        return {**kind, "type": [kind["type"], "null"]}
    return {"anyOf": [kind, {"type": "null"}]}


def constant(value: object, description: str = "") -> Part:
    """This value and no other."""
    kind = "boolean" if isinstance(value, bool) else "string"
    told: Part = {"type": kind, "const": value}
    return {**told, "description": description} if description else told


def one_of(*values: str) -> Part:
    """One of these strings."""
    return {"type": "string", "enum": list(values)}


def list_of(kind: Part) -> Part:
    return {"type": "array", "items": kind}
