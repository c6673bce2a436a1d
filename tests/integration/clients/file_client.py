"""A client that keeps files with nothing but HTTP, written after contracts/rest.md."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import requests
import requests.auth

from tests.integration.clients.answers import Item, Refused
from tests.servers.stacksync import KnownUser

TIMEOUT = 60.0

Content = bytes | Iterable[bytes]


class FileClient:
    """Files and folders by id.  The verbs raise ``Refused`` where the server refuses.

    :param url: of the server, without a path.
    """

    def __init__(self, url: str, user: KnownUser) -> None:
        self.url = url
        self.user = user
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = requests.auth.HTTPBasicAuth(user.email, user.password)

    def close(self) -> None:
        self._session.close()

    @property
    def workspace(self) -> str:
        """The id of the user's first workspace, which its container is called as well."""
        return str(self.ask("GET", "/workspaces")["workspaces"][0]["id"])

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer, whatever it is.

        :param options: those of ``requests``; ``data`` that is an iterator goes in chunks.
        """
        options.setdefault("timeout", TIMEOUT)
        return self._session.request(method, f"{self.url}/api{path}", **options)

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of an answer.

        :raises Refused: it is an error.
        """
        answer = self.send(method, path, **options)
        told = answer.json()
        if answer.status_code >= 400:
            assert told["error"] == answer.status_code
            raise Refused(str(answer.status_code), told["description"])
        return told

    def upload(self, name: str, content: Content, parent: int | None = None) -> Item:
        """Make a file."""
        query = {"name": name} if parent is None else {"name": name, "parent": str(parent)}
        return self.ask("POST", "/file", params=query, data=content)

    def overwrite(self, item: Item, content: Content, **headers: str) -> Item:
        """Give a file new content.

        :param headers: with underscores for hyphens: ``If_Match``.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("PUT", f"/file/{item['id']}/data", data=content, headers=named)

    def download(self, item: Item, part: str | None = None, version: int | None = None) -> bytes:
        """A file's content, or the part of it that ``Range`` names."""
        way = "" if version is None else f"/version/{version}"
        headers = {} if part is None else {"Range": f"bytes={part}"}
        answer = self.send("GET", f"/file/{item['id']}{way}/data", headers=headers)
        if answer.status_code >= 400:
            raise Refused(str(answer.status_code), answer.json()["description"])
        assert answer.status_code == (200 if part is None else 206)
        return answer.content

    def metadata(self, item: Item) -> Item:
        return self.ask("GET", path_of(item))

    def make_folder(self, name: str, parent: int | None = None) -> Item:
        return self.ask("POST", "/folder", json={"name": name, "parent": parent})

    def relocate(self, item: Item, name: str | None = None, parent: int | None = None) -> Item:
        """Rename, move, or both."""
        return self.ask("PUT", path_of(item), json={"name": name, "parent": parent})

    def delete(self, item: Item) -> Item:
        return self.ask("DELETE", path_of(item))

    def restore(self, item: Item, **fields: Any) -> Item:
        """Take an item out of the trash."""
        return self.ask("POST", f"{path_of(item)}/restore", json=fields)

    def versions(self, item: Item) -> list[Item]:
        """All versions, newest first."""
        return list(self.ask("GET", f"/file/{item['id']}/versions")["versions"])

    def contents(self, folder: Item | None = None) -> list[Item]:
        """What is in a folder, by name; ``None`` is the root."""
        path = "/folder/0" if folder is None else path_of(folder)
        return list(self.ask("GET", f"{path}/contents")["contents"])

    def names(self, folder: Item | None = None) -> list[str]:
        """The names of what is in a folder."""
        return [item["filename"] for item in self.contents(folder)]

    def trash(self) -> list[Item]:
        return list(self.ask("GET", "/trash")["items"])

    def quota_used(self) -> int:
        return int(self.ask("GET", "/account")["quota_used"])

    def chunk(self, workspace: str, name: str) -> bytes:
        """A chunk as it is stored."""
        answer = self.send("GET", chunk_path(workspace, name))
        assert answer.status_code == 200, answer.text
        return answer.content

    def put_chunk(self, workspace: str, name: str, content: bytes) -> int:
        """Store a chunk; the code of the answer, which is an error or says whether it is new."""
        return self.send("PUT", chunk_path(workspace, name), data=content).status_code


def path_of(item: Item) -> str:
    return f"/{'folder' if item['is_folder'] else 'file'}/{item['id']}"


def chunk_path(workspace: str, name: str) -> str:
    return f"/workspaces/{workspace}/chunks/{quote(name, safe='')}"
