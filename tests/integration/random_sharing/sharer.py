"""Somebody who shares folders and works in them, at random, and what may be refused to it.

It is refused what others have made impossible meanwhile, by one of the codes
that are named here with each thing to do.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.answers import Answer, Item, Refused
from tests.integration.clients.desktop_chunks import cut, described
from tests.integration.clients.file_client import path_of
from tests.integration.clients.items import deleted, moved, new_file, new_folder, renamed
from tests.integration.random_sharing.onlooker import GONE, Onlooker

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {"Content-Type": "application/offset+octet-stream"}
COMMIT_REFUSED = ("403", "404", "IllegalArgumentException")
REASONS = ("name-taken", "parent-not-found", "dependency", "quota")


class Sharer(Onlooker):
    """Does one thing after the other."""

    def work(self, steps: int) -> None:
        """Do so many things.

        :raises AssertionError: one was refused by a code that it may not be refused by.
        """
        for _ in range(steps):
            if not self._items or self._random.random() < 0.4:
                self.look()
            (act,) = self._random.choices(list(self._acts), list(self._acts.values()))
            act(self)

    def act_on(self, folder: int) -> None:
        """Do one thing that moves a certain folder, or something in it."""
        (act,) = self._random.choices(list(self._hasty_acts), list(self._hasty_acts.values()))
        if act is Sharer.propose:
            self.propose(folder)
        else:
            act(self)

    # -- alone

    def make_folder(self, name: str | None = None, parent: int | None = None) -> Item | None:
        body = {
            "name": name or self._name(),
            "parent": self._folder() if parent is None else parent,
        }
        return self._keep(self._ask("make folder", GONE, "POST", "/folder", json=body))

    def upload(self, name: str | None = None, parent: int | None = None) -> Item | None:
        content = self._content()
        query = {
            "name": name or self._name(),
            "parent": self._folder() if parent is None else parent,
        }
        item = self._ask("upload", GONE, "POST", "/file", params=query, data=content)
        if item is not None:
            self._contents.note(item, content)
        return self._keep(item)

    def overwrite(self) -> None:
        file = self._file()
        if file is not None:
            content = self._content()
            item = self._ask("overwrite", GONE, "PUT", f"/file/{file['id']}/data", data=content)
            if self._keep(item) is not None:
                self._contents.note(item, content)

    def relocate(self) -> None:
        """Rename or move anything anywhere: into a shared folder, out of it, or the folder."""
        item = self._any()
        if item is not None:
            body: dict[str, Any] = {}
            way = self._random.randrange(3)
            if way != 1:
                body["name"] = self._name()
            if way != 0:
                body["parent"] = self._folder()
            self._keep(self._ask("relocate", GONE, "PUT", path_of(item), json=body))

    def delete(self) -> None:
        item = self._any()
        if item is not None:
            self._keep(self._ask("delete", GONE, "DELETE", path_of(item)))

    def restore(self) -> None:
        item = self._any(deleted=True)
        if item is not None:
            body = {"name": self._name()} if self._random.random() < 0.3 else {}
            if self._random.random() < 0.3:
                body["parent"] = self._folder()
            self._keep(self._ask("restore", GONE, "POST", f"{path_of(item)}/restore", json=body))

    def restore_version(self) -> None:
        file = self._file()
        if file is not None:
            number = self._random.randint(1, file["version"])
            path = f"/file/{file['id']}/version/{number}"
            item = self._keep(self._ask("restore version", GONE, "POST", path))
            if item is not None and item["version"] > number:
                self._contents.note_same(item, number)

    def download(self) -> None:
        """Whole and as somebody has uploaded it, or not at all, whatever others do meanwhile."""
        file = self._file()
        if file is not None:
            answer = self._send("download", GONE, "GET", f"/file/{file['id']}/data")
            assert not answer.ok or self._contents.is_known(answer.content), answer.content[:100]

    def upload_in_pieces(self) -> None:
        """By tus, with time between the pieces for others."""
        content = self._content()
        name, parent = self._name(), self._folder()
        described_as = [("filename", name), ("parent", str(parent))]
        metadata = ",".join(
            f"{key} {b64encode(value.encode()).decode()}" for key, value in described_as
        )
        headers = {"Upload-Length": str(len(content)), "Upload-Metadata": metadata}
        answer = self._send("begin upload", GONE, "POST", "/uploads", headers=TUS | headers)
        if not answer.ok:
            return
        path = answer.headers["Location"].removeprefix("/api")
        middle = len(content) // 2
        for start, piece in ((0, content[:middle]), (middle, content[middle:])):
            answer = self._send(
                *("send piece", GONE, "PATCH", path),
                data=piece,
                headers={**TUS, **PIECE, "Upload-Offset": str(start)},
            )
            if not answer.ok:
                return
            if start == 0:
                self.relocate()
        self._contents.note({"id": int(answer.headers["Stacksync-File"]), "version": 1}, content)

    def commit(self) -> None:
        """A batch as a device's, by its own protocol."""
        if not self._workspaces:
            return
        workspace_id = self._random.choice(self._workspaces)["id"]
        inside = [item for key, item in self._items.items() if self._where.get(key) == workspace_id]
        folders = [None, *(item["id"] for item in inside if item["is_folder"])]
        content = self._content()
        chunks = cut(content, self._made)
        for name, chunk in chunks.items():
            path = f"/workspaces/{workspace_id}/chunks/{name}"
            if not self._send("put chunk", GONE, "PUT", path, data=chunk).ok:
                return
        batch = [
            new_folder(self._name(), temp_id=-1, parent_id=self._random.choice(folders)),
            new_file(
                self._name(),
                parent_id=self._random.choice([-1, *folders]),
                **described(content, chunks),
            ),
        ]
        if inside:
            item = self._random.choice(inside)
            change = self._random.randrange(3)
            batch.append(
                deleted(item)
                if change == 0
                else renamed(item, self._name())
                if change == 1
                else moved(item, self._random.choice(folders))
            )
        try:
            answer = self._committed(batch, workspace_id)
        except Refused as refused:
            self._diary.note(self.name, f"commit to {workspace_id}: {refused}")
            if refused.kind not in COMMIT_REFUSED:
                raise
            return
        self._diary.note(self.name, f"commit to {workspace_id}: {answer.reasons}")
        assert answer.outcomes[1].committed or answer.outcomes[1].reason in REASONS, answer
        made = answer.outcomes[1].item
        if answer.outcomes[1].committed and made is not None:
            self._contents.note(made, content)

    # -- together

    def propose(self, folder: int | None = None, role: str | None = None) -> None:
        folder = folder or self._folder(root=False)
        if folder:
            body = {
                "share_to": self._random.sample(self._others, self._random.randint(1, 2))
                if role is None
                else list(self._others),
                "role": role or self._random.choice(("editor", "editor", "viewer")),
            }
            self._ask("propose", (400, *GONE), "POST", f"/folder/{folder}/share", json=body)

    def accept(self) -> None:
        for share in self._waiting():
            body: dict[str, Any] = {}
            if self._random.random() < 0.3:
                body["parent"] = self._folder()
            if self._random.random() < 0.2:
                body["name"] = self._name()
            self._ask("accept", GONE, "POST", f"/shares/{share}/accept", json=body)

    def decline(self) -> None:
        for share in self._waiting()[:1]:
            self._ask("decline", GONE, "POST", f"/shares/{share}/decline")

    def withdraw(self) -> None:
        folder = self._folder(root=False)
        if folder:
            told = self._ask("proposals of", GONE, "GET", f"/folder/{folder}/shares")
            for share in (told or {"shares": []})["shares"][:1]:
                self._ask("withdraw", GONE, "DELETE", f"/shares/{share['id']}")

    def unshare(self) -> None:
        folder = self._shared_folder()
        if folder:
            emails = [self._random.choice(self._others)]
            path = f"/folder/{folder}/unshare"
            self._ask("unshare", (400, *GONE), "POST", path, json=emails)

    def leave(self) -> None:
        folder = self._shared_folder()
        if folder:
            self._ask("leave", GONE, "POST", f"/folder/{folder}/leave")

    def mount(self) -> None:
        """Rename or move a shared folder, as a device does it."""
        shared = [each["id"] for each in self._workspaces if each["is_shared"]]
        if shared:
            body = {"name": self._name(), "parent_item_id": self._folder()}
            path = f"/workspaces/{self._random.choice(shared)}"
            self._ask("mount", GONE, "PUT", path, json=body)

    _acts: dict[Callable[[Sharer], object], int] = {
        make_folder: 4,
        upload: 6,
        overwrite: 4,
        relocate: 10,
        delete: 4,
        restore: 4,
        restore_version: 2,
        download: 2,
        upload_in_pieces: 3,
        commit: 5,
        propose: 7,
        accept: 10,
        decline: 1,
        withdraw: 1,
        unshare: 4,
        leave: 2,
        mount: 3,
    }
    """How often each is done, to each other."""

    _hasty_acts: dict[Callable[[Sharer], object], int] = {
        propose: 4,
        accept: 4,
        unshare: 4,
        leave: 2,
        relocate: 4,
        upload: 2,
        overwrite: 2,
        mount: 2,
    }

    # -- how

    def _committed(self, batch: Sequence[Item], workspace_id: str) -> Answer:
        if isinstance(self.device, AmqpDevice):
            # It need not hear of every workspace for that.
            return self.device.call_commit(*batch, workspace_id=workspace_id)
        return self.device.commit(*batch, workspace_id=workspace_id)

    def _waiting(self) -> list[str]:
        told = self._ask("proposals", (), "GET", "/shares")
        return [share["id"] for share in told["shares"]]
