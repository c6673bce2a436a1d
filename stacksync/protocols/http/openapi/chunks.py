"""``/workspaces/:id/chunks/:name``, described."""

from __future__ import annotations

from stacksync.protocols.http.openapi.headers import (
    CHUNK_CONTENT,
    CHUNK_TAG,
    CONTENT_RANGE,
    LOCATION,
)
from stacksync.protocols.http.openapi.parameters import API, WORKSPACE_IN_PATH, shared
from stacksync.protocols.http.openapi.parts import (
    BYTES,
    Operation,
    Path,
    answer,
    bytes_answer,
    bytes_body,
    parameter,
    schema,
)
from stacksync.protocols.http.openapi.problems import problems
from stacksync.protocols.http.openapi.values import CHUNK_NAME

READING = (API, shared("IfNoneMatch"))
KNOWN = answer("It is what the client has already.", headers=CHUNK_CONTENT)

GET = Operation(
    "downloadChunk",
    "A chunk object as it is stored",
    {
        200: bytes_answer("All of it.", CHUNK_CONTENT, BYTES),
        206: bytes_answer(
            "The part that was asked for.", {**CHUNK_CONTENT, "Content-Range": CONTENT_RANGE}, BYTES
        ),
        304: KNOWN,
        **problems(404, 416),
    },
    parameters=(*READING, shared("Range"), shared("IfRange")),
    description="The gzip (RFC 1952) of the chunk's plain bytes, except in encrypted workspaces,"
    " where it is whatever the devices made of it. A chunk never changes, so it may be kept for"
    " ever.",
)
HEAD = Operation(
    "checkChunk",
    "Whether a chunk is there",
    {
        200: answer("It is, with so many bytes.", headers=CHUNK_CONTENT),
        304: KNOWN,
        **problems(404),
    },
    parameters=READING,
    description="Asking keeps the chunk for the grace time: one that is there need not be put"
    " before the commit that refers to it.",
)
PUT = Operation(
    "putChunk",
    "Keep a chunk object",
    {
        200: answer("It is there already.", schema("Chunk"), headers={"ETag": CHUNK_TAG}),
        201: answer(
            "It is kept now.",
            schema("Chunk"),
            headers={"ETag": CHUNK_TAG, "Location": LOCATION},
        ),
        **problems(403, 404, 409, 411, 413, 415),
    },
    parameters=(API,),
    description="Where the name tells what is in it (`sha256-…`, `chk-…`) and devices do not"
    " encrypt, the body is checked (400). One that is there is kept: other bytes under its name get"
    " 409. One that no version refers to is removed after a grace time. A body may have"
    " `http.max_body` bytes (8 MiB unless configured).",
    body=bytes_body("The object, as it is to be handed out."),
)
CHUNK_IN_PATH = parameter(
    "path",
    "chunk",
    CHUNK_NAME,
    "The name of a chunk.",
    example="chk-AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D-2",
)

PATHS = [
    Path(
        "/api/workspaces/{workspace}/chunks/{chunk}",
        "chunks",
        {"get": GET, "head": HEAD, "put": PUT},
        (WORKSPACE_IN_PATH, CHUNK_IN_PATH),
    )
]
