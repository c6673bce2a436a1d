"""How an item and what became of it look in JSON (contracts/rest.md, *Answers and errors*)."""

from __future__ import annotations

from typing import Any

from stacksync.model import Item, ItemOutcome
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

ROOT = {
    **{name: None for name in NAMES.values() if name != "chunks"},
    "filename": "root",
    "is_folder": True,
    "checksum": 0,
    "size": 0,
    "is_root": True,
}
"""The folder 0, which is no item: what stands in it has no parent."""


def encode_item(item: Item) -> dict[str, Any]:
    """An item's metadata: ``chunks`` for a file, ``is_root`` for a folder."""
    told = ITEM.encode(item)
    if item.is_folder:
        del told["chunks"]
        told["is_root"] = False
    return told


def encode_listed(items: bytes) -> bytes:
    """A listing as the database writes it, told like :func:`encode_item` tells items.

    The database writes ``null`` for the chunks of a folder, last of its fields.
    Within a text that can't occur: there each quotation mark is escaped.
    """
    return items.replace(b',"chunks":null}', b',"is_root":false}')


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
