"""Proposals, addressees and members in JSON."""

from __future__ import annotations

from stacksync.model import AddresseeState, ProposalState, Role
from stacksync.protocols.addressees import ADDRESSEES_MAX, ROLES
from stacksync.protocols.http.openapi.parts import Part, asked, record
from stacksync.protocols.http.openapi.values import (
    EMAIL,
    FLAG,
    INSTANT,
    ITEM_ID,
    NAME,
    REQUEST_ID,
    TEXT,
    UUID,
    nullable,
    one_of,
)

PERSON = record({"id": UUID, "email": EMAIL, "name": TEXT})
ADDRESSES: Part = {
    "type": "array",
    "items": {**EMAIL, "pattern": "^[!-?A-~]+@[!-?A-~]+$"},
    "minItems": 1,
    "maxItems": ADDRESSEES_MAX,
    "uniqueItems": True,
    "description": "E-mail addresses, none of them twice, whatever their case.",
}

SHARING_SCHEMAS: dict[str, Part] = {
    "Addresses": ADDRESSES,
    "Sharing": asked(
        {
            "share_to": ADDRESSES,
            "role": {
                **nullable(one_of(*ROLES)),
                "enum": [*ROLES, None],
                "description": "What they may do: editors what the owner may with the content,"
                " viewers only look. Left out: editor.",
            },
            "is_encrypted": {
                **nullable(FLAG),
                "description": "Devices will encrypt what is in it, which has to be empty now.",
            },
            "request_id": nullable(REQUEST_ID),
        },
        "Whom a folder is proposed to, and as what.",
        required="share_to",
    ),
    "Unsharing": asked(
        {"unshare_to": ADDRESSES, "request_id": nullable(REQUEST_ID)}, required="unshare_to"
    ),
    "Addressee": record(
        {
            "name": {**nullable(TEXT), "description": "Told of members only."},
            "email": EMAIL,
            "state": {
                **one_of(*[state.value for state in AddresseeState]),
                "description": "What the addressee is now.",
            },
        }
    ),
    "Member": record(
        {
            "name": TEXT,
            "email": EMAIL,
            "joined_at": INSTANT,
            "is_owner": FLAG,
            "role": one_of(*[role.value for role in Role]),
        }
    ),
    "Share": record(
        {
            "id": UUID,
            "item_id": {**ITEM_ID, "description": "The folder."},
            "folder_name": NAME,
            "owner": PERSON,
            "email": {**EMAIL, "description": "The addressee's."},
            "role": one_of(*ROLES),
            "is_encrypted": FLAG,
            "state": one_of(*[state.value for state in ProposalState]),
            "created_at": INSTANT,
            "expires_at": {**INSTANT, "description": "Until when it can be answered."},
            "workspace_id": {
                **UUID,
                "description": "Of the workspace that the folder is, or will be when the first"
                " accepts.",
            },
        },
        "A proposal to take part in a folder.",
    ),
}
