"""Files and folders in JSON."""

from __future__ import annotations

from stacksync.model import ItemStatus
from stacksync.protocols.http.openapi.parts import Part, record, schema
from stacksync.protocols.http.openapi.values import (
    CHECKSUM,
    CHUNK_NAME,
    FLAG,
    INSTANT,
    ITEM_ID,
    NAME,
    SIZE,
    TEXT,
    VERSION,
    constant,
    list_of,
    nullable,
    one_of,
)

STATUS: Part = {
    **one_of(*[status.value for status in ItemStatus]),
    "description": "What this version did to the item.",
}
NEXT: Part = {
    **nullable({"type": "string"}),
    "description": "Ask for the following page with this as `after`; null at the end.",
}

ITEM: dict[str, Part] = {
    "id": ITEM_ID,
    "parent_id": {**nullable(ITEM_ID), "description": "Null at the root of the workspace."},
    "filename": NAME,
    "is_folder": FLAG,
    "status": STATUS,
    "modified_at": INSTANT,
    "version": VERSION,
    "checksum": CHECKSUM,
    "size": SIZE,
    "mimetype": nullable(TEXT),
}
CHUNKS: Part = {
    **list_of(CHUNK_NAME),
    "description": "Chunk objects whose plain bytes, one after the other, are the content.",
}
FILE = {**ITEM, "is_folder": constant(False), "chunks": CHUNKS}
FOLDER = {**ITEM, "is_folder": constant(True), "is_root": constant(False)}
ROOT = {
    **{name: {"type": "null"} for name in ITEM},
    "filename": constant("root"),
    "is_folder": constant(True),
    "checksum": {"type": "integer", "const": 0},
    "size": {"type": "integer", "const": 0},
    "is_root": constant(True),
}
CONTENTS = {"next": NEXT, "contents": list_of(schema("Item"))}

ITEM_SCHEMAS: dict[str, Part] = {
    "File": record(FILE, "A file at one of its versions."),
    "Folder": record(FOLDER, "A folder at one of its versions."),
    "RootFolder": record(ROOT, "The root of the default workspace, which is no item."),
    "Item": {"oneOf": [schema("File"), schema("Folder")]},
    "FileVersions": record(
        {**FILE, "versions": {**list_of(schema("File")), "minItems": 1}},
        "A file, and all versions of it that are kept, newest first.",
    ),
    "FolderContents": {
        "oneOf": [record({**FOLDER, **CONTENTS}), record({**ROOT, **CONTENTS})],
        "description": "A folder and a page of what is in it.",
    },
    "ItemPage": record({"next": NEXT, "items": list_of(schema("Item"))}, "A page of items."),
}
