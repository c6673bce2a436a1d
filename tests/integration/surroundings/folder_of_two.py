"""A folder with a past, which one shares with another and takes back, over HTTP."""

from __future__ import annotations

import secrets
from itertools import groupby

from tests.integration.clients.answers import Item, Refused
from tests.integration.clients.file_client import FileClient

PRIVATE, PROPOSED, SHARED = "private", "proposed", "shared"


class FolderOfTwo:
    """Four files in five chunks: one has two versions, one is further down, one in the trash.

    The guest adds one whose content has never been anywhere but in the shared folder.
    Each deed is one request, and may be done again by whoever has got no answer.

    :ivar files: what each file, by its id, has held, the newest first.
    :ivar names: what is in the folder itself.
    """

    def __init__(self, owner: FileClient, guest: FileClient, name: str) -> None:
        self.owner = owner
        self.guest = guest
        self.files: dict[int, list[bytes]] = {}
        self.folder = owner.make_folder(name)
        self.names = ["below", "notes", "report"]
        self._proposal_id = ""
        self.below = owner.make_folder("below", self.folder["id"])
        self.report = self._add("report", self.folder)
        owner.overwrite(self.report, self._changed(self.report))
        self._add("notes", self.folder)
        self._add("deep", self.below)
        owner.delete(self._add("gone", self.folder))

    def propose(self) -> None:
        self.owner.ask("POST", self._path("share"), json=[self.guest.user.email])

    def accept(self) -> None:
        if not self._proposal_id:
            (self._proposal_id,) = [each["id"] for each in self._waiting()]
        self.guest.ask("POST", f"/shares/{self._proposal_id}/accept")

    def contribute(self) -> None:
        """The guest puts a file into the folder."""
        self._add("added", self.folder, self.guest)
        self.names.insert(0, "added")

    def unshare(self) -> None:
        try:
            self.owner.ask("POST", self._path("unshare"), json=[self.guest.user.email])
        except Refused as refused:
            # What was done already has left nobody.
            if "No addressees found" not in refused.message:
                raise

    def stage(self) -> str:
        """How far things have come, which both see alike."""
        assert ids(self.owner.contents()).count(self.folder["id"]) == 1
        members = [each["email"] for each in self.owner.ask("GET", self._path("members"))]
        mounted = ids(self.guest.contents()).count(self.folder["id"])
        if len(members) > 1:
            assert sorted(members) == sorted([self.owner.user.email, self.guest.user.email])
            assert mounted == 1
            assert not self._waiting()
            return SHARED
        assert mounted == 0
        for item_id in self.files:
            assert self.guest.send("GET", f"/file/{item_id}").status_code == 404
        assert len(self._waiting()) <= 1
        return PROPOSED if self._waiting() else PRIVATE

    def check(self, stage: str) -> None:
        """Things have come so far, and whoever may read the folder can read all of it."""
        assert self.stage() == stage
        self._check_content(self.owner)
        if stage == SHARED:
            self._check_content(self.guest)

    def _check_content(self, reader: FileClient) -> None:
        """The whole tree is there, and every version's content."""
        assert reader.names(self.folder) == self.names
        assert reader.names(self.below) == ["deep"]
        for item_id, contents in self.files.items():
            item = {"id": item_id, "is_folder": False}
            # A move is a version as well, and so is what puts a file into the trash.
            kept = groupby(reader.versions(item), key=lambda version: version["chunks"])
            versions = [list(alike)[-1]["version"] for chunks, alike in kept if chunks]
            found = [reader.download(item, version=version) for version in versions]
            assert found == contents
        assert reader.download(self.report) == self.files[self.report["id"]][0]

    def _waiting(self) -> list[Item]:
        shares: list[Item] = self.guest.ask("GET", "/shares")["shares"]
        return [each for each in shares if each["item_id"] == self.folder["id"]]

    def _path(self, what: str) -> str:
        return f"/folder/{self.folder['id']}/{what}"

    def _add(self, name: str, parent: Item, by: FileClient | None = None) -> Item:
        content = secrets.token_bytes(1000)
        item = (by or self.owner).upload(name, content, parent["id"])
        self.files[item["id"]] = [content]
        return item

    def _changed(self, item: Item) -> bytes:
        content = secrets.token_bytes(1000)
        self.files[item["id"]].insert(0, content)
        return content


def ids(items: list[Item]) -> list[int]:
    return [item["id"] for item in items]
