"""What the JSON in requests and answers looks like: the document's ``components/schemas``.

Objects in answers may get more fields in later versions; those in requests
are refused when they have unknown ones.
"""

from __future__ import annotations

from stacksync.model import Role
from stacksync.protocols.http.openapi.commit_schemas import COMMIT_SCHEMAS
from stacksync.protocols.http.openapi.item_schemas import ITEM_SCHEMAS
from stacksync.protocols.http.openapi.parts import Part, asked, record, schema
from stacksync.protocols.http.openapi.sharing_schemas import PERSON, SHARING_SCHEMAS
from stacksync.protocols.http.openapi.token_schemas import TOKEN_SCHEMAS
from stacksync.protocols.http.openapi.values import (
    CHUNK_NAME,
    EMAIL,
    FLAG,
    INSTANT,
    ITEM_ID,
    NAME,
    NUMBER,
    REQUEST_ID,
    REVISION,
    SIZE,
    TEXT,
    UUID,
    VERSION,
    constant,
    nullable,
    one_of,
)

DEVICE_TEXTS = {
    "name": {**TEXT, "description": "What its owner calls it."},
    "os": {**TEXT, "description": "Its operating system."},
    "ip": {**TEXT, "description": "Its address, as it sees it."},
    "app_version": {**TEXT, "description": "The version of its client."},
}
WORKSPACE = {
    "id": UUID,
    "name": {**NAME, "description": "What this member calls it."},
    "parent_item_id": {
        **nullable(ITEM_ID),
        "description": "The folder where this member has mounted it; null: the root.",
    },
    "role": one_of(*[role.value for role in Role]),
    "owner": PERSON,
    "container": {"type": "string", "description": "Of its chunks in the object store."},
    "is_shared": FLAG,
    "is_encrypted": {
        **FLAG,
        "description": "Devices encrypt what is in it: the server hands out its chunks only.",
    },
    "root_item_id": {
        **nullable(ITEM_ID),
        "description": "The folder that a shared workspace consists of, its only item without a"
        " parent; null: it is nobody's folder.",
    },
    "latest_revision": REVISION,
}
ERROR = {
    "error": {"type": "integer", "description": "The status code."},
    "description": {"type": "string", "description": "What is wrong, for people."},
}


def told_at_least_one(*names: str) -> Part:
    """That one of these is there, and is not null."""
    return {
        "anyOf": [
            {"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in names
        ]
    }


SCHEMAS: dict[str, Part] = {
    **ITEM_SCHEMAS,
    **COMMIT_SCHEMAS,
    **SHARING_SCHEMAS,
    **TOKEN_SCHEMAS,
    "Account": record(
        {
            "id": UUID,
            "email": EMAIL,
            "name": TEXT,
            "quota_limit": {**SIZE, "description": "Bytes that its files may have together."},
            "quota_used": {**SIZE, "description": "Bytes that its live files have."},
            "created_at": INSTANT,
        }
    ),
    "Device": record(
        {
            "id": UUID,
            "name": TEXT,
            **{name: nullable(DEVICE_TEXTS[name]) for name in ("os", "ip", "app_version")},
            "created_at": INSTANT,
            "seen_at": INSTANT,
        }
    ),
    "DeviceDescription": asked(
        {name: nullable(kind) for name, kind in DEVICE_TEXTS.items()},
        "What a device says of itself; what is left out stays as it is.",
    ),
    "NewDevice": asked(
        {
            **{name: nullable(kind) for name, kind in DEVICE_TEXTS.items()},
            "request_id": nullable(REQUEST_ID),
        },
        "What a new device says of itself.",
    ),
    "Workspace": record(WORKSPACE, "A workspace as one of its members sees it."),
    "Mount": asked(
        {
            "name": nullable(NAME),
            "parent_item_id": {
                **nullable(NUMBER),
                "description": "A folder of this account's; 0 is the root.",
            },
            "request_id": nullable(REQUEST_ID),
        },
        "What a workspace is called by this member and where it stands; one at least.",
    )
    | told_at_least_one("name", "parent_item_id"),
    "NewFolder": asked(
        {"name": NAME, "parent": nullable(NUMBER), "request_id": nullable(REQUEST_ID)},
        "`parent` is the id of a folder; 0, or left out, is the root.",
        required="name",
    ),
    "NewPlace": asked(
        {
            "name": nullable(NAME),
            "parent": nullable(NUMBER),
            "request_id": nullable(REQUEST_ID),
        },
        "Another name, another folder, or both; 0 is the root.",
    )
    | told_at_least_one("name", "parent"),
    "RestoredPlace": asked(
        {
            "name": nullable(NAME),
            "parent": nullable(NUMBER),
            "request_id": nullable(REQUEST_ID),
        },
        "Where it is to come back; left out, where it was.",
    ),
    "Repeatable": asked({"request_id": nullable(REQUEST_ID)}),
    "Chunk": record({"name": CHUNK_NAME, "size": SIZE, "modified_at": INSTANT}),
    "Upload": record(
        {
            "id": UUID,
            "offset": {**SIZE, "description": "Bytes that have arrived."},
            "length": {**nullable(SIZE), "description": "Bytes of the whole; null: not said yet."},
            "expires_at": INSTANT,
            "file_id": {**nullable(ITEM_ID), "description": "The file that it has become."},
            "file_version": nullable(VERSION),
        }
    ),
    "Liveness": record({"status": constant("ok")}),
    "Readiness": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Each part (`database`, …) with `ok` or its problem.",
    },
    "Error": record(ERROR),
    "BadRequest": record(
        {**ERROR, "parameter": {"type": "string", "description": "What is wrong, for programs."}},
        optional="parameter",
    ),
    "Conflict": record(
        {
            **ERROR,
            "metadata": {
                **schema("Item"),
                "description": "The item that is in the way, or the present state of the one"
                " asked about.",
            },
        },
        optional="metadata",
    ),
    "CursorExpired": record({**ERROR, "oldest": REVISION, "latest": REVISION}),
}
