"""A client of resumable uploads that says just what a test wants to be said."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from tests.protocols.http.client import Response
from tests.protocols.http.conftest import User

UPLOADS = "/api/uploads"
PIECE_TYPE = "application/offset+octet-stream"
Headers = dict[str, str | list[str]]


def metadata(**values: str | bytes) -> str:
    """The header ``Upload-Metadata``."""
    pairs = []
    for key, value in values.items():
        content = value.encode() if isinstance(value, str) else value
        pairs.append(f"{key} {b64encode(content).decode()}")
    return ",".join(pairs)


async def ask(
    user: User,
    method: str,
    path: str,
    headers: Headers | None = None,
    body: bytes | None = None,
) -> Response:
    """A request of tus 1.0.0, with headers on top or instead."""
    told: Headers = {"Tus-Resumable": "1.0.0", **(headers or {})}
    return await user.client.request(method, path, headers=told, body=body)


async def create(
    user: User, length: int | None, headers: Headers | None = None, **values: str | bytes
) -> Response:
    """The answer to an empty POST."""
    told: Headers = {"Upload-Metadata": metadata(**values), **(headers or {})}
    if length is not None:
        told["Upload-Length"] = str(length)
    return await ask(user, "POST", UPLOADS, told)


async def begin(user: User, length: int, **values: str | bytes) -> str:
    """The path of a new upload."""
    answer = await create(user, length, **values)
    assert answer.code == 201, answer.body
    location = answer.header("Location")
    assert location is not None
    return location


async def patch(
    user: User, path: str, offset: int, content: bytes, headers: Headers | None = None
) -> Response:
    told: Headers = {
        "Content-Type": PIECE_TYPE,
        "Upload-Offset": str(offset),
        **(headers or {}),
    }
    return await ask(user, "PATCH", path, told, content)


async def head(user: User, path: str) -> Response:
    return await ask(user, "HEAD", path)


async def content_of(user: User, file_id: Any) -> bytes:
    answer = await user.client.get(f"/api/file/{file_id}/data")
    assert answer.code == 200, answer.body
    return answer.body
