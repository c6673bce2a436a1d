"""Decoding JSON that strangers send, no deeper than it may be.

The parser itself bears any depth: it stops at some 1,000 levels.  What walks
through what it gives need not.
"""

from __future__ import annotations

from typing import Any

import orjson

from stacksync.errors import InvalidRequest

DEPTH = 64
"""Levels of lists and objects in one another, unless the operator wants another number."""


def decode_json(data: bytes, deepest: int = DEPTH) -> Any:
    """The value that is written there.

    Where a name comes twice the last one counts (RFC 8259 §4 leaves it open).

    :param deepest: how many levels of lists and objects there may be.
    :raises InvalidRequest: it is no JSON in UTF-8, or has more levels; the field is ``body``.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        # The words are other ones from version to version of the parser.
        if "limit" in error.msg:
            raise too_deep(deepest) from None
        raise InvalidRequest("body", f"not JSON in UTF-8: {error}") from None
    # As a rule there are fewer brackets than there may be levels, which settles it.
    if data.count(b"[") + data.count(b"{") > deepest:
        check_depth(value, deepest)
    return value


def check_depth(value: Any, deepest: int) -> None:
    """Look at one level after the other, without recursion.

    :raises InvalidRequest: there are more levels than there may be.
    """
    level = [value] if type(value) in (list, dict) else []
    depth = 0
    while level:
        depth += 1
        if depth > deepest:
            raise too_deep(deepest)
        level = [
            below
            for each in level
            for below in (each.values() if type(each) is dict else each)
            if type(below) is dict or type(below) is list
        ]


def too_deep(deepest: int) -> InvalidRequest:
    return InvalidRequest(
        "body", f"has lists and objects in one another more than {deepest} levels deep"
    )
