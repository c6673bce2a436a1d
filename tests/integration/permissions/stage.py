"""A shared folder and the people around it, for what each of them may do with it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from itertools import count
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from attrs import define, field, frozen

from tests.integration.clients.kept_connection import KeptConnection, Reply, with_query
from tests.integration.surroundings.people import People
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

Made = TypeVar("Made")


@frozen
class SignIn:
    """How a request says who it is from.

    :ivar headers: that say so, for a method and URL.
    :ivar at: the URL of the server that takes it; ``None``: the folder's.
    """

    headers: Callable[[str, str], dict[str, str]] = field(repr=False)
    at: str | None = None


def by_password(user: KnownUser) -> SignIn:
    login = b64encode(f"{user.email}:{user.password}".encode()).decode()
    return SignIn(lambda method, url: {"Authorization": f"Basic {login}"})


@define
class Asking(Generic[Made]):
    """What is asked for about a folder; made anew only once it was done.

    What was refused, or has only read, is there for the next who asks.  Had a
    refused one done something all the same, the next would notice.

    :ivar is_personal: it is another one for each who asks.
    """

    make: Callable[[KnownUser], Made]
    is_personal: bool
    _made: dict[UUID | None, Made] = field(init=False, factory=dict)

    def by(self, user: KnownUser) -> Made:
        key = user.id if self.is_personal else None
        if key not in self._made:
            self._made[key] = self.make(user)
        return self._made[key]

    def done(self) -> None:
        self._made.clear()


class SharedFolder:
    """A folder that its owner shares; each request about it may have an item of its own.

    :ivar users: by role.
    """

    def __init__(self, server: StackSyncProcess, people: People) -> None:
        self._url = server.http_url
        self._people = people
        self._connections: dict[str, KeptConnection] = {}
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
        for connection in self._connections.values():
            connection.close()

    def ask(
        self,
        user: KnownUser,
        method: str,
        path: str,
        sign_in: SignIn | None = None,
        **options: Any,
    ) -> Reply:
        """The answer to somebody's request.

        :param sign_in: unless by the password.
        :param options: ``headers``, ``params``, ``data`` and ``json``, as ``requests`` has them.
        """
        signed = sign_in or by_password(user)
        server = signed.at or self._url
        if server not in self._connections:
            self._connections[server] = KeptConnection(server)
        where = with_query(f"/api{path}", options.get("params"))
        headers = {**signed.headers(method, server + where), **options.get("headers", {})}
        data, told = options.get("data", b""), options.get("json")
        return self._connections[server].ask(method, where, headers, data, told)

    def made(self, method: str, path: str, user: KnownUser | None = None, **options: Any) -> Any:
        """What a request of the owner's, or of somebody else, has made."""
        answer = self.ask(user or self.users["owner"], method, path, **options)
        assert answer.ok, answer.body
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
