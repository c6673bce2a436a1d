"""A shared folder and the people around it, for what each of them may do with it."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import UUID, uuid4

import requests

from tests.integration.people import People
from tests.servers.stacksync import KnownUser, StackSyncProcess

ROLES = ("stranger", "ex-member", "invited", "viewer", "editor", "owner")
MEMBERS = ("viewer", "editor", "owner")

SECRET = "s3cret"
"""In the name of every file of the folder."""

Codes = dict[str, int]

NOBODY_ELSE = dict.fromkeys(ROLES, 404)
READ: Codes = NOBODY_ELSE | dict.fromkeys(MEMBERS, 200)
WRITE: Codes = READ | {"viewer": 403}
OWNER: Codes = NOBODY_ELSE | {"owner": 200}
LEAVE: Codes = READ | {"owner": 409}
ANSWER: Codes = NOBODY_ELSE | {"invited": 200}
OWN: Codes = dict.fromkeys(ROLES, 200)
"""About whoever asks, who is told nothing of others."""

_numbers = count(1)


class SharedFolder:
    """A folder that its owner shares; each request about it may have an item of its own.

    :ivar users: by role.
    """

    def __init__(self, server: StackSyncProcess, people: People) -> None:
        self._url = f"{server.http_url}/api"
        self._people = people
        self._session = requests.Session()
        self._session.trust_env = False
        self.users: dict[str, KnownUser] = {"owner": people.add(), "stranger": people.add()}
        self.device = self.made("POST", "/devices", json={"name": "laptop"})["id"]
        self.id = self.made("POST", "/folder", json={"name": "Fotos"})["id"]
        for role in ("viewer", "editor", "invited"):
            self.users[role] = self.somebody(role)
        self._devices: dict[UUID, str] = {}
        self.users["ex-member"] = self.somebody("editor")
        gone = [self.users["ex-member"].email]
        self.made("POST", f"/folder/{self.id}/unshare", json=gone)
        workspaces = self.made("GET", "/workspaces")["workspaces"]
        self.workspace = next(each["id"] for each in workspaces if each["is_shared"])

    def close(self) -> None:
        self._session.close()

    def ask(self, user: KnownUser, method: str, path: str, **options: Any) -> requests.Response:
        """The answer to somebody's request."""
        told = {"timeout": 30, "stream": True, "auth": (user.email, user.password), **options}
        return self._session.request(method, self._url + path, **told)

    def made(self, method: str, path: str, user: KnownUser | None = None, **options: Any) -> Any:
        """What a request of the owner's, or of somebody else, has made."""
        answer = self.ask(user or self.users["owner"], method, path, **options)
        assert answer.ok, answer.text
        return answer.json()

    def somebody(self, role: str) -> KnownUser:
        """A new user who is that to the folder."""
        user = self._people.add()
        if role in ("stranger", "ex-member"):
            return user
        given = role if role in ("viewer", "editor") else "editor"
        asked = {"share_to": [user.email], "role": given}
        self.made("POST", f"/folder/{self.id}/share", json=asked)
        if role != "invited":
            self.made("POST", f"/shares/{self.proposal_to(user)}/accept", user)
        return user

    def proposal_to(self, user: KnownUser) -> str:
        """The id of the proposal that waits for somebody."""
        return str(self.made("GET", "/shares", user)["shares"][0]["id"])

    def address(self) -> str:
        """An e-mail that the folder is newly proposed to."""
        email = f"{uuid4()}@example.org"
        self.made("POST", f"/folder/{self.id}/share", json=[email])
        return email

    def proposal(self) -> str:
        """The id of a new proposal."""
        email = self.address()
        shares = self.made("GET", f"/folder/{self.id}/shares")["shares"]
        return next(str(each["id"]) for each in shares if each["email"] == email)

    def file(self) -> int:
        """A file of two versions."""
        name = {"name": self.name(), "parent": self.id}
        made = self.made("POST", "/file", params=name, data=b"one")["id"]
        self.made("PUT", f"/file/{made}/data", data=b"two")
        return int(made)

    def folder(self) -> int:
        named = {"name": self.name(), "parent": self.id}
        return int(self.made("POST", "/folder", json=named)["id"])

    def deleted(self, noun: str) -> int:
        item = self.file() if noun == "file" else self.folder()
        self.made("DELETE", f"/{noun}/{item}")
        return item

    def chunk(self) -> str:
        name = f"{SECRET}-{next(_numbers)}"
        path = f"/workspaces/{self.workspace}/chunks/{name}"
        self.made("PUT", path, data=b"x")
        return name

    def token(self) -> str:
        """The id of a token of the owner's."""
        return str(self.made("POST", "/tokens", json={"device_id": self.device})["id"])

    def lost_device(self) -> str:
        """A device of the owner's that nobody needs any more."""
        return str(self.made("POST", "/devices", json={"name": "lost"})["id"])

    def device_of(self, user: KnownUser) -> str:
        """A device of somebody's, always the same."""
        if user.id not in self._devices:
            made = self.made("POST", "/devices", user, json={"name": "phone"})
            self._devices[user.id] = str(made["id"])
        return self._devices[user.id]

    def name(self) -> str:
        return f"{SECRET} {next(_numbers)}"


def is_invited(folder: SharedFolder, user: KnownUser) -> bool:
    return bool(folder.made("GET", "/shares", user)["shares"])


def other(folder: SharedFolder) -> KnownUser:
    return folder.users["invited"]


def device_of(folder: SharedFolder, user: KnownUser) -> str:
    return folder.device_of(user)
