"""What a device asks for in a commit, in a few words."""

from __future__ import annotations

from itertools import count
from typing import Any

from tests.integration.clients.answers import Item

MODIFIED = "2026-11-21T05:27:00.123Z"

_numbers = count(1)


def new_file(filename: str | None = None, **fields: Any) -> Item:
    """A new file; without a name it gets one that no other has."""
    number = next(_numbers)
    return {
        "status": "NEW",
        "version": 1,
        "modified_at": MODIFIED,
        "filename": filename if filename is not None else f"file {number}.txt",
        "is_folder": False,
        "size": 10,
        "checksum": number,
        "mimetype": "text/plain",
        "chunks": [f"chk-{number:040X}-0"],
        **fields,
    }


def new_folder(filename: str | None = None, **fields: Any) -> Item:
    """A new folder; without a name it gets one that no other has."""
    return {
        "status": "NEW",
        "version": 1,
        "modified_at": MODIFIED,
        "filename": filename if filename is not None else f"folder {next(_numbers)}",
        "is_folder": True,
        **fields,
    }


def next_version(item: Item, status: str = "CHANGED", **fields: Any) -> Item:
    """The next version of an item that the server told."""
    return {
        "id": item["id"],
        "version": item["version"] + 1,
        "status": status,
        "modified_at": MODIFIED,
        "parent_id": item["parent_id"],
        **fields,
    }


def changed(item: Item, **fields: Any) -> Item:
    """New content for a file."""
    number = next(_numbers)
    content = {"size": 11, "checksum": number, "chunks": [f"chk-{number:040X}-0"]}
    return next_version(item, "CHANGED", **{**content, **fields})


def renamed(item: Item, filename: str) -> Item:
    return next_version(item, "RENAMED", filename=filename)


def moved(item: Item, parent_id: int | None) -> Item:
    return next_version(item, "MOVED", parent_id=parent_id)


def deleted(item: Item) -> Item:
    return next_version(item, "DELETED")
