"""Requests as the bytes that are sent, made once and stamped with an id each time.

Building JSON for each request would make the driver compete with the servers
for the processor.  All ids have the same length, so lengths never change.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from bench.users import User
from stacksync.protocols.amqp.wire import frames

STAMP = b"00000000-0000-4000-8000-00000000ffff"
"""Stands where the id of the request goes; file names hold it, too."""

MODIFIED = "2026-11-21T05:27:00.123Z"
CHUNK_BYTES = 512 * 1024
REQUEST_EXCHANGE = "rpc_global_exchange"
OBJECT_NAME = "ISyncService"


def new_stamp() -> bytes:
    return str(uuid4()).encode()


def stamped(template: bytes, stamp: bytes) -> bytes:
    return template.replace(STAMP, stamp)


def chunk_names(count: int) -> list[str]:
    return [f"chk-{0x1F2E3D4C5B6A79881F2E3D4C5B6A79881F2E3D4C + n:040X}-{n}" for n in range(count)]


def new_file(chunks: int, number: int = 0) -> dict[str, Any]:
    """A new file in the root, in the names that both protocols share; ``number`` tells it apart."""
    return {
        "version": 1,
        "status": "NEW",
        "size": chunks * CHUNK_BYTES,
        "checksum": 3_141_592_653,
        "mimetype": "text/plain",
        "chunks": chunk_names(chunks),
        "filename": f"file {STAMP.decode()} {number}.txt",
    }


def camel(item: dict[str, Any]) -> dict[str, Any]:
    """An item as AMQP spells it."""
    return item | {"isFolder": False, "modifiedAt": MODIFIED}


def snake(item: dict[str, Any]) -> dict[str, Any]:
    """An item as HTTP spells it."""
    return item | {"is_folder": False, "modified_at": MODIFIED}


def amqp_commit(user: User, items: list[dict[str, Any]]) -> bytes:
    """The body of an asynchronous ``commit``, as clients of the old kind send it."""
    stamp = STAMP.decode()
    parameter = {
        "requestId": stamp,
        "userId": user.account_id,
        "workspaceId": user.workspace_id,
        "deviceId": user.device_id,
        "items": [camel(item) for item in items],
    }
    return amqp_call("commit", parameter, is_async=True)


def amqp_call(method: str, parameter: dict[str, Any], *, is_async: bool) -> bytes:
    envelope = {
        "id": STAMP.decode(),
        "method": method,
        "async": is_async,
        "params": [{"requestId": STAMP.decode(), **parameter}],
    }
    return json.dumps(envelope, separators=(",", ":")).encode()


def amqp_request(channel: int, frame_max: int, body: bytes, reply_to: str | None = None) -> bytes:
    """All frames that publish a request; the body must fit into one frame to be stamped."""
    if len(body) > frame_max - frames.FRAME_OVERHEAD:
        raise ValueError(f"{len(body)} bytes are more than one frame")
    properties = {"app_id": OBJECT_NAME, "correlation_id": STAMP.decode(), "type": "gson"}
    if reply_to is not None:
        properties["reply_to"] = reply_to
    return frames.encode_publish(
        channel, REQUEST_EXCHANGE, OBJECT_NAME, properties, body, frame_max
    )


def http_commit(user: User, items: list[dict[str, Any]]) -> bytes:
    """A whole request that commits."""
    body = json.dumps(
        {"device_id": user.device_id, "items": [snake(item) for item in items]},
        separators=(",", ":"),
    ).encode()
    head = [
        f"Content-Length: {len(body)}",
        "Content-Type: application/json",
        f"Idempotency-Key: {STAMP.decode()}",
    ]
    return http_request(user, "POST", f"/api/workspaces/{user.workspace_id}/commits", head) + body


def http_request(user: User, method: str, path: str, head: list[str]) -> bytes:
    """The head of a request on a connection that stays open."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: {user.authorization}",
        *head,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
