"""How an item looks in JSON, and how a client asks for a change of one.

The only place that knows the names of an item's fields on this protocol
(contracts/rest.md, *Answers and errors*).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from stacksync.errors import InvalidRequest
from stacksync.model import Item, ItemChange, ItemOutcome, ItemShape, ItemStatus
from stacksync.protocols.http.body import (
    as_object,
    boolean,
    instant,
    integer,
    required,
    text,
    texts,
)

ITEM_NAMES: Mapping[str, str] = {
    "id": "id",
    "parent_id": "parent_id",
    "name": "filename",
    "is_folder": "is_folder",
    "status": "status",
    "modified_at": "modified_at",
    "version": "version",
    "checksum": "checksum",
    "size": "size",
    "mimetype": "mimetype",
    "chunks": "chunks",
}
"""By attribute of :class:`~stacksync.model.Item`."""

ITEM_SHAPE = ItemShape(ITEM_NAMES)  # type: ignore[arg-type]  # attrs cannot type dict as converter

CHANGE_FIELDS = frozenset([*ITEM_NAMES.values(), "temp_id"])

STATUSES = {status.value: status for status in ItemStatus}


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and Z."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def encode_item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "parent_id": item.parent_id,
        "filename": item.name,
        "is_folder": item.is_folder,
        "status": item.status.value,
        "modified_at": iso(item.modified_at),
        "version": item.version,
        "checksum": item.checksum,
        "size": item.size,
        "mimetype": item.mimetype,
        "chunks": None if item.is_folder else item.chunks,
    }


def encode_outcome(outcome: ItemOutcome) -> dict[str, Any]:
    """What became of one item: ``metadata`` is what the server holds now, or null."""
    item, refusal = outcome.item, outcome.refusal
    return {
        "committed": refusal is None,
        "reason": None if refusal is None else refusal.value,
        "problem": problem_in_wire_names(outcome.problem),
        "committed_version": item.version if refusal is None and item is not None else None,
        "temp_id": None if outcome.change is None else outcome.change.temp_id,
        "metadata": None if item is None else encode_item(item),
    }


def decode_change(value: Any, where: str) -> ItemChange:
    """One item of a commit.

    :param where: what to call it in an error (``items[3]``).
    :raises InvalidRequest: a field has the wrong type, is missing or unknown.
    """
    prefix = where + "."
    fields = as_object(value, where, prefix, CHANGE_FIELDS)
    return ItemChange(
        status=required(status(fields, prefix), "status", prefix),
        version=required(integer(fields, "version", prefix), "version", prefix),
        modified_at=required(instant(fields, "modified_at", prefix), "modified_at", prefix),
        id=integer(fields, "id", prefix),
        temp_id=integer(fields, "temp_id", prefix),
        parent_id=integer(fields, "parent_id", prefix),
        name=text(fields, "filename", prefix),
        is_folder=boolean(fields, "is_folder", prefix),
        size=integer(fields, "size", prefix),
        checksum=integer(fields, "checksum", prefix),
        mimetype=text(fields, "mimetype", prefix),
        chunks=texts(fields, "chunks", prefix),
    )


def encode_change(change: ItemChange) -> dict[str, Any]:
    """What :func:`decode_change` reads: the same change, for a client."""
    told = {
        "id": change.id,
        "temp_id": change.temp_id,
        "version": change.version,
        "parent_id": change.parent_id,
        "status": change.status.value,
        "filename": change.name,
        "is_folder": change.is_folder,
        "size": change.size,
        "checksum": change.checksum,
        "mimetype": change.mimetype,
        "chunks": change.chunks,
        "modified_at": iso(change.modified_at),
    }
    return {name: value for name, value in told.items() if value is not None}


def status(fields: dict[str, Any], prefix: str) -> ItemStatus | None:
    value = fields.get("status")
    if value is None:
        return None
    found = STATUSES.get(value) if type(value) is str else None
    if found is None:
        raise InvalidRequest(prefix + "status", f"must be one of {', '.join(STATUSES)}")
    return found


def problem_in_wire_names(problem: str | None) -> str | None:
    """The engine's complaint about a change, in the names of this protocol.

    What is wrong with ``name`` is for a client wrong with ``filename``.
    """
    if problem is None:
        return None
    name, colon, complaint = problem.partition(":")
    return ITEM_NAMES.get(name, name) + colon + complaint
