"""The accounts that the benchmarks act for, made through the service's own interfaces."""

from __future__ import annotations

import base64
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from attrs import frozen

from bench.stage import Stage

PASSWORD = "correct horse battery staple"
QUOTA = "900T"
SECONDS = 30.0
AT_A_TIME = 2


@frozen
class User:
    """An account with one device and its default workspace; ids as they are sent."""

    email: str
    account_id: str
    device_id: str
    workspace_id: str

    @property
    def authorization(self) -> str:
        """The value of the HTTP header."""
        return "Basic " + base64.b64encode(f"{self.email}:{PASSWORD}".encode()).decode()


def make_users(stage: Stage, count: int, prefix: str = "user") -> list[User]:
    """New accounts, each with a device."""
    emails = [f"{prefix}{number}@example.org" for number in range(1, count + 1)]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(lambda email: make_user(stage, email), emails))


def make_user(stage: Stage, email: str) -> User:
    account = stage.server.add_user(email, PASSWORD, QUOTA)
    url = stage.server.http_url
    signed_in = User(email, str(account.id), "", "")
    device = ask(url, signed_in, "POST", "/api/devices", {"name": "bench"})
    (workspace,) = ask(url, signed_in, "GET", "/api/workspaces")["workspaces"]
    return User(email, str(account.id), device["id"], workspace["id"])


def sign_in(stage: Stage, users: list[User]) -> None:
    """Let the server check every password now, so that it does not have to while we measure."""
    for user in users:
        ask(stage.server.http_url, user, "GET", "/api/account")


def ask(url: str, user: User, method: str, path: str, body: Any = None) -> Any:
    """What the HTTP front-end answers; raises on anything but success."""
    request = urllib.request.Request(
        url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": user.authorization, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return json.loads(answer.read())
