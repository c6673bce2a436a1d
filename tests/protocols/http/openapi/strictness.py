"""Turns the description into a test's: what it does not name, no answer may have."""

from __future__ import annotations

from typing import Any


def strict(part: Any) -> Any:
    """A copy in which every object has the properties that are named, and no others.

    Clients are told that more may come in later versions, so the description
    itself doesn't say that; but what is there now has to be described.
    """
    if isinstance(part, list):
        return [strict(each) for each in part]
    if not isinstance(part, dict):
        return part
    copy = {name: strict(value) for name, value in part.items()}
    if copy.get("type") == "object" and "properties" in copy:
        copy.setdefault("additionalProperties", False)
    return copy
