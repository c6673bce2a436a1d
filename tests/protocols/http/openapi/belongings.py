"""What Anna has on a server, made as it is needed, so that requests have something to be about.

Carla is there to share with her.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from itertools import count
from types import TracebackType
from typing import Any

import requests
from attrs import define, field
from requests.auth import HTTPBasicAuth

EMAIL = "anna@example.org"
CARLA = "carla@example.org"
BERT = "bert@example.org"
"""Whom the examples name; he has no account."""

PASSWORD = "correct horse"
CONTENT = b"hello world"
CHUNK = "any-name"
READING = ("GET", "HEAD", "OPTIONS")
TUS = {"Tus-Resumable": "1.0.0", "Upload-Length": "11"}

_numbers = count(1)


@define
class Belongings:
    """Anna's things; each method makes a new one and returns its id.

    :param url: the server's, without a path.
    """

    url: str
    session: requests.Session = field(init=False, factory=requests.Session)
    carla: requests.Session = field(init=False, factory=requests.Session)
    _lasting: dict[tuple[str, ...], Any] = field(init=False, factory=dict)

    def __enter__(self) -> Belongings:
        for session, email in ((self.session, EMAIL), (self.carla, CARLA)):
            session.trust_env = False
            session.auth = HTTPBasicAuth(email, PASSWORD)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.session.close()
        self.carla.close()

    def ask(
        self, method: str, path: str, session: requests.Session | None = None, **options: Any
    ) -> requests.Response:
        """The answer to a request of hers, or of somebody else's session, which is no error."""
        asking = session or self.session
        answer = asking.request(method, f"{self.url}{path}", timeout=30, **options)
        assert answer.ok, answer.text
        return answer

    def try_to(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer to a request."""
        return self.session.request(method, f"{self.url}{path}", timeout=30, **options)

    def number(self) -> int:
        """One that no other thing has."""
        return next(_numbers)

    def file(self) -> int:
        name = f"file {self.number()}"
        return self.ask("POST", "/api/file", params={"name": name}, data=CONTENT).json()["id"]

    def folder(self) -> int:
        name = f"folder {self.number()}"
        return self.ask("POST", "/api/folder", json={"name": name}).json()["id"]

    def deleted(self, noun: str) -> int:
        item = self.item(noun)
        self.ask("DELETE", f"/api/{noun}/{item}")
        return item

    def item(self, noun: str) -> int:
        return self.folder() if noun == "folder" else self.file()

    def shared(self) -> int:
        """A folder that is proposed to Bert."""
        folder = self.folder()
        self.ask("POST", f"/api/folder/{folder}/share", json=[BERT])
        return folder

    def proposed(self) -> str:
        """The id of a proposal to Bert."""
        shares = self.ask("GET", f"/api/folder/{self.shared()}/shares").json()["shares"]
        return shares[0]["id"]

    def share(self) -> str:
        """The id of a proposal of Carla's."""
        named = {"name": f"folder {self.number()}"}
        folder = self.ask("POST", "/api/folder", self.carla, json=named).json()["id"]
        self.ask("POST", f"/api/folder/{folder}/share", self.carla, json=[EMAIL])
        shares = self.ask("GET", "/api/shares").json()["shares"]
        return next(each["id"] for each in shares if each["item_id"] == folder)

    def joined(self) -> int:
        """A folder of Carla's that she takes part in."""
        return self.ask("POST", f"/api/shares/{self.share()}/accept").json()["root_item_id"]

    def workspace(self) -> str:
        return self.ask("GET", "/api/workspaces").json()["workspaces"][0]["id"]

    def device(self) -> str:
        return self.ask("POST", "/api/devices", json={"name": "phone"}).json()["id"]

    def token(self) -> str:
        """The id of a token."""
        return self.ask("POST", "/api/tokens", json={"device_id": self.device()}).json()["id"]

    def chunk(self) -> str:
        path = f"/api/workspaces/{self.workspace()}/chunks/{CHUNK}"
        self.ask("PUT", path, data=CONTENT)
        return CHUNK

    def version(self) -> int:
        return 1

    def upload(self) -> str:
        name = b64encode(f"upload {self.number()}".encode()).decode()
        headers = {"Upload-Metadata": f"filename {name}", **TUS}
        made = self.ask("POST", "/api/uploads", headers=headers)
        return made.headers["Location"].rpartition("/")[2]

    def lasting(self, make: Callable[[], Any], *key: str) -> Any:
        """The same thing each time."""
        if key not in self._lasting:
            self._lasting[key] = make()
        return self._lasting[key]

    def in_path(self, method: str, template: str) -> dict[str, Any]:
        """Something for each variable segment of a path.

        What the method changes is made for it; what it only reads may have been read before.
        """
        changes = method.upper() not in READING
        noun = "folder" if "/folder/" in template else "file"
        made: dict[str, Any] = {}
        for name in re.findall(r"{(\w+)}", template):
            special = self._special(template) if name in ("item", "share") else None
            if special is not None:
                make, key = special, (template,)
            elif name == "item":
                state = self.deleted if template.endswith("/restore") else self.item
                make, key = partial(state, noun), (noun,)
            else:
                make, key = getattr(self, name), (name,)
            changed = changes and name in ("item", "upload", "share", "token")
            changed |= name == "device" and method.upper() == "DELETE"
            made[name] = make() if changed else self.lasting(make, *key)
        return made

    def _special(self, template: str) -> Callable[[], Any] | None:
        """What makes that which a path about sharing needs, and no other path does."""
        return {
            "/api/folder/{item}/unshare": self.shared,
            "/api/folder/{item}/leave": self.joined,
            "/api/shares/{share}": self.proposed,
        }.get(template)
