"""``/tokens``, described."""

from __future__ import annotations

from stacksync.protocols.http.openapi.headers import LOCATION
from stacksync.protocols.http.openapi.parameters import API
from stacksync.protocols.http.openapi.parts import (
    Operation,
    Path,
    answer,
    json_body,
    link,
    parameter,
    record,
    schema,
)
from stacksync.protocols.http.openapi.problems import json_problems, problems
from stacksync.protocols.http.openapi.values import UUID, list_of

EXAMPLE = {
    "name": "phone",
    "scope": "sync",
    "expires_in": 86400,
    "device": {"name": "phone", "os": "Android 18"},
}

LIST = Operation(
    "listTokens",
    "The tokens that whoever asks may revoke, oldest first",
    {
        200: answer("All of them.", record({"tokens": list_of(schema("Token"))})),
        **problems(),
    },
    parameters=(API,),
    description="With the password: those of all devices and applications of the account. With a"
    " token: that one.",
)
MAKE = Operation(
    "makeToken",
    "Make a token for a device",
    {
        201: answer(
            "The token. Its secret, `token`, is told only this once.",
            schema("NewToken"),
            headers={"Location": LOCATION},
            links={"revoke": link("revokeToken", "Revoke it.", token="$response.body#/id")},
        ),
        **json_problems(404, 409),
    },
    parameters=(API,),
    description="Sign in with the password: a token gets 403. A client keeps the token instead of"
    " the password, sends it as `Authorization: Bearer …`, and signs in to the broker with"
    " `account_id` and the token. A repeat makes another token: each is told only once. 409: the"
    " account has as many tokens as it may have (`tokens.max_per_account`).",
    body=json_body(schema("TokenOrder"), EXAMPLE),
)
REVOKE = Operation(
    "revokeToken",
    "Revoke a token",
    {
        204: answer("It is refused from now on; the event streams that it has opened end."),
        **problems(404),
    },
    parameters=(API,),
    description="An application's as well as a device's. Any token may revoke itself, a read-only"
    " one too; the others take the password.",
)
TOKEN_IN_PATH = parameter(
    "path",
    "token",
    UUID,
    "The id of one of the account's tokens.",
    example="5f0c2a3e-7c1d-4b6e-9a53-0d9d2b8f4c11",
)

PATHS = [
    Path("/api/tokens", "tokens", {"get": LIST, "post": MAKE}),
    Path("/api/tokens/{token}", "tokens", {"delete": REVOKE}, (TOKEN_IN_PATH,)),
]
