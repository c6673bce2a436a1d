"""``/account``, described."""

from __future__ import annotations

from stacksync.protocols.http.openapi.parameters import API
from stacksync.protocols.http.openapi.parts import Operation, Path, answer, asked, json_body, schema
from stacksync.protocols.http.openapi.problems import json_problems, problems

CHANGE_PASSWORD = Operation(
    "changePassword",
    "Change the password",
    {204: answer("It is the new one from now on."), **json_problems(403, 409)},
    parameters=(API,),
    description="Sign in with the present password: no token will do (403). What was given out to"
    " devices and applications ends with it: all tokens are revoked, and event streams and"
    " connections to the broker are closed. The new one needs `auth.password_min` characters, and"
    " must be neither one of the commonest nor the e-mail; 400 says what would be right. 409:"
    " another service keeps the password, and it is changed there.",
    body=json_body(
        asked(
            {"password": {"type": "string", "maxLength": 1024, "format": "password"}},
            required="password",
        ),
        {"password": "correct horse"},
    ),
)

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
    ),
    Path("/api/account/password", "account", {"put": CHANGE_PASSWORD}),
]
