"""``/folder/:id/share`` and ``/shares``, described."""

from __future__ import annotations

from stacksync.protocols.http.openapi.parameters import API, WRITING, shared
from stacksync.protocols.http.openapi.parts import (
    Operation,
    Path,
    answer,
    json_body,
    parameter,
    record,
    schema,
)
from stacksync.protocols.http.openapi.problems import json_problems, problems
from stacksync.protocols.http.openapi.values import PARENT, UUID, list_of

EXAMPLE = {"share_to": ["bert@example.org"], "role": "editor"}
SHARES = record({"shares": list_of(schema("Share"))})

PROPOSE = Operation(
    "shareFolder",
    "Ask people to take part in a folder",
    {
        201: answer(
            "Whom it is proposed to now, and who is a member at once where the server accepts"
            " for them. Whoever was a member already is left out.",
            record({"shared_to": list_of(schema("Addressee"))}),
        ),
        **json_problems(403, 404, 409),
    },
    parameters=(API, *WRITING),
    description="By e-mail; who has no account yet is asked when it is made. Only the owner"
    " changes a member's role, by asking again. 409 where the folder stands in a shared one, has"
    " one in it, is in the trash, would have too many members, or can't be encrypted any more"
    " because there is something in it. 400 where nobody is left of those who were named.",
    body=json_body(
        {"anyOf": [schema("Sharing"), schema("Addresses")]},
        EXAMPLE,
        "An array of e-mail addresses, or an object that says more.",
    ),
)
OF_FOLDER = Operation(
    "listFolderShares",
    "Who is asked to take part in a folder, and has not answered",
    {200: answer("All of them, oldest first.", SHARES), **problems(403, 404)},
    parameters=(API,),
    description="For its owner and its editors.",
)
WAITING = Operation(
    "listShares",
    "What waits for the account's answer",
    {200: answer("All of them, oldest first.", SHARES), **problems()},
    parameters=(API,),
)
WITHDRAW = Operation(
    "withdrawShare",
    "Take a proposal back",
    {200: answer("The proposal.", schema("Share")), **problems(403, 404, 409)},
    parameters=(API,),
    description="For whoever may propose. Once more does no harm; 409 where it was answered.",
)
ACCEPT = Operation(
    "acceptShare",
    "Take part in a folder that is proposed to the account",
    {
        200: answer("The workspace that the folder is.", schema("Workspace")),
        **json_problems(403, 404, 409),
    },
    parameters=(API, *WRITING),
    description="`name` and `parent` say where the folder is to stand for this account; left out,"
    " it stands in the root under its own name, or one like it that is free. A repeat is answered"
    " as the first time. 409 where the proposal was declined, withdrawn or has expired, where the"
    " name is taken, or where the folder can't be shared any more.",
    body=json_body(schema("RestoredPlace"), {"name": "Fotos"}, optional=True),
)
DECLINE = Operation(
    "declineShare",
    "Decline a proposal",
    {200: answer("The proposal.", schema("Share")), **json_problems(403, 404, 409)},
    parameters=(API, shared("IdempotencyKey")),
    description="Once more does no harm; 409 where it was answered otherwise.",
    body=json_body(schema("Repeatable"), {}, optional=True),
)

FOLDER_IN_PATH = parameter(
    "path", "item", PARENT, "The id of a folder; 0 is the root, which can't be shared.", example=42
)
SHARE_IN_PATH = parameter(
    "path",
    "share",
    UUID,
    "The id of a proposal.",
    example="0b5a3c62-5ae2-4a0e-9c0f-3c4d27d5a1ff",
)

PATHS = [
    Path("/api/folder/{item}/share", "sharing", {"post": PROPOSE}, (FOLDER_IN_PATH,)),
    Path("/api/folder/{item}/shares", "sharing", {"get": OF_FOLDER}, (FOLDER_IN_PATH,)),
    Path("/api/shares", "sharing", {"get": WAITING}),
    Path("/api/shares/{share}", "sharing", {"delete": WITHDRAW}, (SHARE_IN_PATH,)),
    Path("/api/shares/{share}/accept", "sharing", {"post": ACCEPT}, (SHARE_IN_PATH,)),
    Path("/api/shares/{share}/decline", "sharing", {"post": DECLINE}, (SHARE_IN_PATH,)),
]
