"""A device that has a token instead of the password."""

from __future__ import annotations

from typing import Any

import requests

from tests.integration.clients.http_device import EventStream
from tests.servers.stacksync import KnownUser, StackSyncProcess

SOON = 30.0
"""Seconds within which what a revoked token has opened is closed."""


class TokenHolder:
    """A device that has a token, and nothing else."""

    def __init__(self, server: StackSyncProcess, user: KnownUser, **order: Any) -> None:
        self.server, self.user = server, user
        answer = owner(server, user, "POST", "/tokens", json={"name": "laptop", **order})
        assert answer.status_code == 201, answer.text
        self.told: dict[str, Any] = answer.json()
        self.headers = {"Authorization": f"Bearer {self.told['token']}"}

    def ask(
        self, method: str, path: str, at: StackSyncProcess | None = None, **options: Any
    ) -> requests.Response:
        url = (at or self.server).http_url
        return requests.request(
            method, f"{url}/api{path}", headers=self.headers, timeout=30, **options
        )

    def status(self, at: StackSyncProcess | None = None) -> int:
        return self.ask("GET", "/account", at).status_code

    def listen(self, at: StackSyncProcess | None = None) -> EventStream:
        """An event stream that has said hello."""
        stream = EventStream((at or self.server).http_url, self.user, self.headers)
        assert stream.next(SOON)[0] == "hello"
        return stream


def owner(
    server: StackSyncProcess, user: KnownUser, method: str, path: str, **options: Any
) -> requests.Response:
    """The answer to somebody who has the password."""
    return requests.request(
        method,
        f"{server.http_url}/api{path}",
        auth=(user.email, user.password),
        timeout=30,
        **options,
    )
