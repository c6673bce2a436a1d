"""Commits and changes in JSON, for clients that keep a tree of their own."""

from __future__ import annotations

from stacksync.model import Refusal
from stacksync.protocols.http.openapi.item_schemas import ITEM, STATUS
from stacksync.protocols.http.openapi.parts import Part, asked, record, schema
from stacksync.protocols.http.openapi.values import (
    CHUNK_NAME,
    FLAG,
    INSTANT_ASKED,
    REQUEST_ID,
    REVISION,
    SIZE,
    UUID,
    VERSION,
    list_of,
    nullable,
)

BOUNDED_ID: Part = {"type": "integer", "format": "int64"}

COMMIT_SCHEMAS: dict[str, Part] = {
    "SyncItem": record(
        {
            **ITEM,
            "chunks": {**nullable(list_of(CHUNK_NAME)), "description": "Null for a folder."},
        },
        "An item as devices that synchronise hear of it.",
    ),
    "Changes": record({"revision": REVISION, "items": list_of(schema("SyncItem"))}),
    "ItemChange": asked(
        {
            "id": {
                **nullable(BOUNDED_ID),
                "description": "Of an item that exists; without it the item is new.",
            },
            "temp_id": {
                **nullable(BOUNDED_ID),
                "description": "Of a new item: a number of the client's own, by which later items"
                " of the same commit name it as their `parent_id`.",
            },
            "parent_id": {**nullable(BOUNDED_ID), "description": "Null: the root."},
            "filename": nullable({"type": "string"}),
            "is_folder": nullable(FLAG),
            "status": STATUS,
            "modified_at": INSTANT_ASKED,
            "version": {
                **BOUNDED_ID,
                "description": "1 for a new item, else the server's latest + 1.",
            },
            "checksum": nullable(BOUNDED_ID),
            "size": nullable(BOUNDED_ID),
            "mimetype": nullable({"type": "string"}),
            "chunks": nullable(list_of({"type": "string"})),
        },
        "A change of one item. Of an item that exists, what is left out stays as it is, but for"
        " `parent_id`. A value that no item can have is refused in its outcome, not with a 400.",
        required="status version modified_at",
    ),
    "Commit": asked(
        {
            "device_id": {**UUID, "description": "The device that made the changes."},
            "request_id": nullable(REQUEST_ID),
            "items": {**list_of(schema("ItemChange")), "minItems": 1},
        },
        "Changes of items; `limits.items_per_commit` at most (5,000 unless configured).",
        required="device_id items",
    ),
    "CommitResult": record(
        {
            "workspace_id": UUID,
            "revision": REVISION,
            "request_id": {"type": "string"},
            "device_id": UUID,
            "quota_limit": SIZE,
            "quota_used": SIZE,
            "items": list_of(schema("ItemOutcome")),
        }
    ),
    "ItemOutcome": record(
        {
            "committed": FLAG,
            "reason": {
                "type": ["string", "null"],
                "enum": [*[refusal.value for refusal in Refusal], None],
                "description": "Why it was not committed.",
            },
            "problem": {
                "type": ["string", "null"],
                "description": "What is invalid, for people.",
            },
            "committed_version": nullable(VERSION),
            "temp_id": nullable(BOUNDED_ID),
            "metadata": {
                "anyOf": [schema("SyncItem"), {"type": "null"}],
                "description": "The item as the server holds it now.",
            },
        },
        "What became of one item of a commit.",
    ),
}
