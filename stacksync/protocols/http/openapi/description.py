"""``/api/openapi.json``, described in itself."""

from __future__ import annotations

from stacksync.protocols.http.openapi.headers import TEXT
from stacksync.protocols.http.openapi.parameters import shared
from stacksync.protocols.http.openapi.parts import Operation, Path, answer, header
from stacksync.protocols.http.openapi.problems import problems

TAG = header({"type": "string", "pattern": '^".+"$'}, "Of this description.")
HEADERS = {"ETag": TAG, "Cache-Control": header(TEXT, "For how long it may be kept.")}

PATHS = [
    Path(
        "/api/openapi.json",
        "description",
        {
            "get": Operation(
                "describe",
                "This description",
                {
                    200: answer("OpenAPI 3.1.", {"type": "object"}, headers=HEADERS),
                    304: answer("It is what the client has already.", headers=HEADERS),
                    **problems(429, signed_in=False),
                },
                parameters=(shared("IfNoneMatch"),),
                open_to_all=True,
            )
        },
    )
]
