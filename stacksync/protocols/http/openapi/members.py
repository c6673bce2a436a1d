"""``/folder/:id/members``, ``unshare`` and ``leave``, described."""

from __future__ import annotations

from stacksync.protocols.http.openapi.parameters import API, WRITING
from stacksync.protocols.http.openapi.parts import (
    Operation,
    Path,
    answer,
    json_body,
    record,
    schema,
)
from stacksync.protocols.http.openapi.problems import json_problems, problems
from stacksync.protocols.http.openapi.proposals import FOLDER_IN_PATH
from stacksync.protocols.http.openapi.values import ITEM_ID, list_of

LIST = Operation(
    "listMembers",
    "Who takes part in a folder",
    {
        200: answer(
            "The owner first. A folder that is not shared has its owner alone.",
            list_of(schema("Member")),
        ),
        **problems(403, 404),
    },
    parameters=(API,),
)
UNSHARE = Operation(
    "unshareFolder",
    "Let people take part no more, or take proposals to them back",
    {
        200: answer(
            "Who takes part no more, and who is asked no more.",
            record({"unshared_to": list_of(schema("Addressee"))}),
        ),
        **json_problems(403, 404, 409),
    },
    parameters=(API, *WRITING),
    description="For the owner and editors. The account's own e-mail is passed over, and so are"
    " those of people who have nothing to do with the folder; 400 where nobody is left. The owner"
    " can't be removed (400). When the last guest goes, the folder is private again, where it"
    " stood for its owner.",
    body=json_body(
        {"anyOf": [schema("Unsharing"), schema("Addresses")]},
        {"unshare_to": ["bert@example.org"]},
        "An array of e-mail addresses, or an object that has one.",
    ),
)
LEAVE = Operation(
    "leaveFolder",
    "Take part in a folder no more",
    {
        200: answer("The folder that was left.", record({"id": ITEM_ID})),
        **json_problems(403, 404, 409),
    },
    parameters=(API, *WRITING),
    description="For guests; 409 to the owner, who unshares it. Once more is 404.",
    body=json_body(schema("Repeatable"), {}, optional=True),
)

PATHS = [
    Path("/api/folder/{item}/members", "sharing", {"get": LIST}, (FOLDER_IN_PATH,)),
    Path("/api/folder/{item}/unshare", "sharing", {"post": UNSHARE}, (FOLDER_IN_PATH,)),
    Path("/api/folder/{item}/leave", "sharing", {"post": LEAVE}, (FOLDER_IN_PATH,)),
]
