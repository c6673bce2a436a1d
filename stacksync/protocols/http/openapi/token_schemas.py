"""Tokens in JSON."""

from __future__ import annotations

from stacksync.model import Scope
from stacksync.protocols.http.openapi.parts import Part, asked, record, schema
from stacksync.protocols.http.openapi.values import INSTANT, TEXT, UUID, nullable, one_of

SCOPES = [scope.value for scope in Scope]
SCOPE: Part = {
    **one_of(*SCOPES),
    "description": "`read-only`: `GET` and `HEAD`, and to revoke itself.",
}
EXPIRES: Part = {**nullable(INSTANT), "description": "Null: when it is revoked."}
COMMON: dict[str, Part] = {
    "name": {**TEXT, "description": "What its owner calls it."},
    "scope": SCOPE,
    "created_at": INSTANT,
    "expires_at": EXPIRES,
}

TOKEN_SCHEMAS: dict[str, Part] = {
    "Token": record(
        {
            "id": UUID,
            "device_id": {**nullable(UUID), "description": "Null: it is an application's."},
            "application": {
                **nullable(TEXT),
                "description": "What the application is called; null: it is a device's.",
            },
            **COMMON,
            "used_at": {
                **nullable(INSTANT),
                "description": "When it was last seen, to within some minutes.",
            },
        },
        "What a device or an application signs in with.",
    ),
    "NewToken": record(
        {
            "id": UUID,
            "token": {
                "type": "string",
                "pattern": "^stk_[A-Za-z0-9_-]{43}$",
                "description": "The secret: keep it as you would the password.",
            },
            "account_id": {
                **UUID,
                "description": "What a client logs in to the broker as, with the token.",
            },
            "device_id": {**UUID, "description": "The device that it acts for, and no other."},
            **COMMON,
        }
    ),
    "TokenOrder": asked(
        {
            "name": {**nullable(TEXT), "description": "Left out: the name of the device."},
            "scope": {**nullable(one_of(*SCOPES)), "enum": [*SCOPES, None]},
            "device_id": {
                **nullable(UUID),
                "description": "Whose it is to be. Left out: `device`, or else the device of"
                " `StackSync-Device`, or else a new one.",
            },
            "device": {
                **nullable(schema("DeviceDescription")),
                "description": "A device to be registered.",
            },
            "expires_in": {
                "type": ["integer", "null"],
                "minimum": 1,
                "maximum": 315_360_000,
                "description": "Seconds; at the most, and if left out, `tokens.lifetime`.",
            },
        },
        "A token for a device that is there (`device_id`) or new (`device`), not both.",
    )
    | {
        "not": {
            "required": ["device_id", "device"],
            "properties": {"device_id": {"type": "string"}, "device": {"type": "object"}},
        }
    },
}
