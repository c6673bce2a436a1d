"""Somebody who looks at what there is, chooses of it at random, and asks for something.

Chooses by a generator of its own from what it saw when it last looked, which
may be long ago.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import requests

from tests.integration.clients.answers import Item, Refused
from tests.integration.clients.device import Device
from tests.integration.clients.file_client import FileClient
from tests.integration.random_sharing.diary import Contents, Diary
from tests.integration.random_sharing.shared_trees import placed, whole_state

NAMES = ("a", "b", "c", "Photos", "notes.txt")
ROOT = 0

GONE = (403, 404, 409)
"""No member any more, or a viewer; deleted, changed or taken by somebody else."""

KEPT_MOVING = "kept moving"
"""The one reason for 503: as often as it was looked for, it had just gone elsewhere."""

TOLD_IN_FULL = ("make folder", "upload", "overwrite", "relocate", "delete", "restore")


class Onlooker:
    """One person, with a client for files and a device that commits.

    :param others: the e-mails of those to share with.
    :param seed: of all that it will choose.
    """

    def __init__(
        self,
        name: str,
        client: FileClient,
        device: Device,
        others: Sequence[str],
        seed: str,
        diary: Diary,
        contents: Contents,
    ) -> None:
        self.name = name
        self.client = client
        self.device = device
        self._others = others
        self._seed = seed
        self._random = Random(seed)
        self._diary = diary
        self._contents = contents
        self._made = 0
        self._workspaces: list[dict[str, Any]] = []
        self._where: dict[int, str] = {}
        """The workspace of each item."""
        self._items: dict[int, Item] = {}

    def look(self) -> None:
        """See what there is now."""
        told = self._ask("look", (), "GET", "/workspaces")
        items = {}
        for workspace in told["workspaces"]:
            try:
                items[workspace["id"]] = whole_state(self.client, workspace["id"])
            except Refused as refused:
                if refused.kind != "404":
                    raise
                items[workspace["id"]] = {}
        self._workspaces = told["workspaces"]
        self._where = {item: place for place, inside in items.items() for item in inside}
        try:
            seen = placed(told["workspaces"], items)
        except AssertionError:
            # Something went from one workspace to another between the two answers.
            seen = {key: item for inside in items.values() for key, item in inside.items()}
        for key, item in self._items.items():
            if key not in seen:
                # It may be in the trash.
                self._items[key] = {**item, "status": "DELETED"}
        self._items |= seen

    def _name(self) -> str:
        return self._random.choice(NAMES)

    def _folder(self, *, root: bool = True) -> int:
        """A folder, with ``root`` often the root, seldom one that is gone; 0: there is none."""
        gone = self._random.random() < 0.1
        folders = [
            item["id"]
            for item in self._items.values()
            if item["is_folder"] and (gone or item["status"] != "DELETED")
        ]
        if not folders or (root and self._random.random() < 0.3):
            return ROOT
        return int(self._random.choice(folders))

    def _shared_folder(self) -> int:
        folders = [each["root_item_id"] for each in self._workspaces if each["is_shared"]]
        return int(self._random.choice(folders)) if folders else 0

    def _file(self) -> Item | None:
        files = [item for item in self._items.values() if not item["is_folder"]]
        return self._random.choice(files) if files else None

    def _any(self, *, deleted: bool = False) -> Item | None:
        deleted = deleted or self._random.random() < 0.05
        items = [item for item in self._items.values() if deleted is (item["status"] == "DELETED")]
        return self._random.choice(items) if items else None

    def _content(self) -> bytes:
        """Content that nobody else makes."""
        self._made += 1
        content = f"{self._seed} {self._made} ".encode() * self._random.randint(1, 400)
        self._contents.expect(content)
        return content

    def _keep(self, item: Item | None) -> Item | None:
        if item is not None and "id" in item:
            self._items[item["id"]] = item
        return item

    def _ask(
        self, what: str, refusals: Sequence[int], method: str, path: str, **options: Any
    ) -> Any:
        """The JSON of an answer; ``None``: it was refused, by a code that is allowed."""
        answer = self._send(what, refusals, method, path, **options)
        return answer.json() if answer.ok else None

    def _send(
        self, what: str, refusals: Sequence[int], method: str, path: str, **options: Any
    ) -> requests.Response:
        answer = self.client.send(method, path, **options)
        asked = options.get("json", options.get("params", ""))
        refused = "" if answer.ok else f" {answer.json()['description']}"
        told = answer.json() if answer.ok and what in TOLD_IN_FULL else {}
        result = f" {told.get('id', '')} v{told.get('version', '')}" if told else ""
        line = f"{what}: {method} {path} {asked or ''} -> {answer.status_code}{refused}{result}"
        self._diary.note(self.name, line)
        moving = answer.status_code == 503 and KEPT_MOVING in refused
        assert answer.ok or answer.status_code in refusals or moving, line
        return answer
