"""How an item and what became of it look in JSON (contracts/rest.md, *Answers and errors*)."""

from __future__ import annotations

from typing import Any

from stacksync.model import ItemOutcome
from stacksync.protocols.items import ItemCodec

NAMES = {
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

ITEM = ItemCodec(names=NAMES, temp_id="temp_id", known=frozenset([*NAMES.values(), "temp_id"]))


def encode_outcome(outcome: ItemOutcome) -> dict[str, Any]:
    """What became of one item: ``metadata`` is what the server holds now, or null."""
    item, refusal = outcome.item, outcome.refusal
    return {
        "committed": refusal is None,
        "reason": None if refusal is None else refusal.value,
        "problem": ITEM.problem_in_wire_names(outcome.problem),
        "committed_version": item.version if refusal is None and item is not None else None,
        "temp_id": None if outcome.change is None else outcome.change.temp_id,
        "metadata": None if item is None else ITEM.encode(item),
    }
