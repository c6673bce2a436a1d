"""``/account``, described."""

from __future__ import annotations

from stacksync.protocols.http.openapi.parameters import API
from stacksync.protocols.http.openapi.parts import Operation, Path, answer, schema
from stacksync.protocols.http.openapi.problems import problems

PATHS = [
    Path(
        "/api/account",
        "account",
        {
            "get": Operation(
                "showAccount",
                "Who I am and how much room I have",
                {200: answer("The account that signed in.", schema("Account")), **problems()},
                parameters=(API,),
                description="`quota_limit` counts the live files of all workspaces that the account"
                " owns, whoever put them there. A write that would go beyond it gets 413; deleting"
                " gives the room back at once.",
            )
        },
    )
]
