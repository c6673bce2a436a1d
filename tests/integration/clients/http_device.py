"""A device on HTTP, written after contracts/rest.md with requests: one per thread."""

from __future__ import annotations

import json
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import requests
import requests.auth

from tests.integration.clients.answers import (
    ITEM_FIELDS,
    Answer,
    Item,
    Notification,
    Refused,
    http_answer,
)
from tests.integration.clients.device import WAIT, Device, Workspace, WorkspaceUpdate
from tests.servers.stacksync import KnownUser

TIMEOUT = 60.0


class HttpDevice(Device):
    """Commits by POST; hears by server-sent events.

    :param url: of the server, without a path.
    """

    protocol = "http"

    def __init__(self, url: str, user: KnownUser) -> None:
        super().__init__(user)
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = requests.auth.HTTPBasicAuth(user.email, user.password)
        self._events: EventStream | None = None

    def close(self) -> None:
        self._session.close()
        if self._events is not None:
            self._events.close()

    def listen(self) -> dict[str, int]:
        if self._events is not None:
            self._events.close()
        self._events = EventStream(self.url, self.user)
        name, hello = self._events.next(WAIT)
        assert name == "hello"
        return {told["id"]: told["revision"] for told in hello["workspaces"]}

    def account(self) -> dict[str, Any]:
        told = self.ask("GET", "/account")
        return {name: told[name] for name in ("id", "email", "quota_used")}

    def register(self, name: str = "phone") -> str:
        self.id = self.ask("POST", "/devices", {"name": name, "os": "Android"})["id"]
        return self.id

    def update_device(self, device_id: str, name: str) -> None:
        assert self.ask("PUT", f"/devices/{device_id}", {"name": name})["id"] == device_id

    def workspaces(self) -> list[Workspace]:
        return [
            Workspace(told["id"], told["name"], told["latest_revision"], told["parent_item_id"])
            for told in self.ask("GET", "/workspaces")["workspaces"]
        ]

    def update_workspace(self, workspace_id: str, name: str, parent: int | None = None) -> None:
        fields = {"name": name, "parent_item_id": parent or 0}
        assert self.ask("PUT", f"/workspaces/{workspace_id}", fields)["name"] == name

    def changes(self, since: int, workspace_id: str | None = None) -> list[Item]:
        path = f"/workspaces/{workspace_id or self.workspace}/changes?since={since}"
        told = self.ask("GET", path)["items"]
        return [{name: item[name] for name in ITEM_FIELDS} for item in told]

    def commit(
        self,
        *items: Item,
        request_id: str | None = None,
        device_id: str | None = None,
        workspace_id: str | None = None,
    ) -> Answer:
        body = {"device_id": device_id or self.id, "items": items}
        path = f"/workspaces/{workspace_id or self.workspace}/commits"
        key = (request_id or str(uuid4())).encode()
        return http_answer(self.ask("POST", path, body, {"Idempotency-Key": key}))

    def next_notification(self, within: float = WAIT) -> Notification:
        assert self._events is not None, "not listening"
        name, told = self._events.next(within)
        assert name == "commit", name
        answer = http_answer(told) if "items" in told else None
        return Notification(told["workspace_id"], told["revision"], answer)

    def next_update(self, within: float = WAIT) -> WorkspaceUpdate:
        assert self._events is not None, "not listening"
        name, told = self._events.next(within)
        assert name == "workspace", name
        return WorkspaceUpdate(told["request_id"], told["id"], told["name"], told["parent_item_id"])

    def next_event(self, within: float = WAIT) -> tuple[str, Any]:
        """The next event of whatever kind: its name and its data."""
        assert self._events is not None, "not listening"
        return self._events.next(within)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str | bytes] | None = None,
    ) -> Any:
        """The JSON of an answer.

        :param body: to be sent as JSON; bytes are sent as they are.
        :raises Refused: it is an error.
        """
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        answer = self._session.request(
            method,
            f"{self.url}/api{path}",
            data=data,
            headers={"Content-Type": "application/json", **(headers or {})},
            timeout=TIMEOUT,
        )
        told = answer.json()
        if answer.status_code >= 400:
            assert told["error"] == answer.status_code
            raise Refused(str(answer.status_code), told["description"])
        return told


class EventStream:
    """``GET /events``, read by a thread of its own as fast as it comes.

    :param headers: what signs in instead of the user's password.
    """

    def __init__(self, url: str, user: KnownUser, headers: dict[str, str] | None = None) -> None:
        self._answer = requests.get(
            f"{url}/api/events",
            auth=None if headers else (user.email, user.password),
            headers=headers,
            stream=True,
            timeout=(TIMEOUT, 600),
        )
        self._answer.raise_for_status()
        assert self._answer.headers["Content-Type"] == "text/event-stream"
        self._events: queue.Queue[tuple[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def next(self, within: float) -> tuple[str, Any]:
        """The next event: its name and its data.

        :raises TimeoutError: none came.
        :raises EOFError: the stream has ended.
        """
        try:
            event = self._events.get(timeout=within)
        except queue.Empty:
            raise TimeoutError(f"no event within {within:g} s") from None
        if event is None:
            raise EOFError("the stream of events has ended")
        return event

    def close(self) -> None:
        # Closing the answer would wait for the thread that reads it.
        connection = self._answer.raw.connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        self._reader.join(WAIT)

    def _read(self) -> None:
        try:
            for event in blocks(self._answer.iter_content(chunk_size=None)):
                fields = dict(line.split(": ", 1) for line in event.split("\n"))
                # A comment has no name.
                if "event" in fields:
                    self._events.put((fields["event"], json.loads(fields["data"])))
        except (requests.RequestException, OSError):
            # Closed by us, or the server was killed.
            pass
        finally:
            self._events.put(None)


def blocks(pieces: Iterator[bytes]) -> Iterator[str]:
    """The events of a stream that comes in any pieces."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n\n")
        for block in whole:
            yield block.decode()
