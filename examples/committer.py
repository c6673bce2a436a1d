"""Gathers changes into batches, commits them, and keeps count of what became of them.

New items get temporary ids, negative numbers, by which later items of the same
batch name them as their parent; from the answer the real ids are learnt, which
later batches use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from connections import Connection, Item, Refused
from local_tree import Content, Entry
from remote_tree import RemoteTree
from wording import count, printable, size

CHUNKS_PER_BATCH = 50_000
"""A request may have 8 MiB, and each of these names has some 80 bytes."""


@dataclass
class Report:
    """What became of everything."""

    folders: int = 0
    files: int = 0
    bytes: int = 0
    deleted: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        told = [count(self.folders, "folder"), count(self.files, "file"), size(self.bytes)]
        told.append(f"{self.deleted} deleted")
        reasons = ", ".join(f"{reason} {times}" for reason, times in self.refused.most_common())
        refused = f"{self.refused.total()} refused"
        told.append(f"{refused} ({reasons})" if reasons else refused)
        return ", ".join(told)


class Committer:
    """Commits to one workspace, in the order in which it is called.

    :param batch: how many items go in one commit.
    :param remote: what the server has; kept up to date.
    :param note: takes a line for each item that is refused.
    """

    def __init__(
        self,
        connection: Connection,
        workspace_id: str,
        device_id: str,
        batch: int,
        remote: RemoteTree,
        note: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._workspace_id = workspace_id
        self._device_id = device_id
        self._size = batch
        self._remote = remote
        self._note = note
        self._paths: list[str] = []
        self._items: list[Item] = []
        self._chunks = 0
        self._temporary: dict[str, int] = {}
        self._made = 0
        self.report = Report()

    def delete(self, path: str) -> None:
        """Delete an item; a folder takes its content with it."""
        item = self._remote.remove(path)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._add(
            path,
            {
                "id": item["id"],
                "version": item["version"] + 1,
                "parent_id": item["parent_id"],
                "status": "DELETED",
                "modified_at": now,
            },
        )

    def create_folder(self, folder: Entry) -> None:
        self._create(folder, {"is_folder": True, "modified_at": folder.modified_at})

    def chunk_owner(self, file: Entry) -> str:
        """What stands at the end of the names of a file's chunks.

        The desktop client puts the file's id there, so that no two files share a
        chunk.  The id of a new file is not known before it is committed, and the
        server never looks at this end: any text does that no other file has.
        A later version keeps it, so that chunks that stay the same keep their names.
        """
        known = self._known(file)
        if known is None:
            return uuid4().hex
        first = (known["chunks"] or [""])[0]
        # Chunks that the server has cut are named in another way.
        return str(first.rpartition("-")[2] if first.startswith("chk-") else known["id"])

    def commit_file(self, file: Entry, content: Content) -> None:
        """Create a file, or commit its new version; nothing if its content is the same."""
        known = self._known(file)
        if known is not None and self._remote.has_content(file, content):
            return
        fields = {
            "is_folder": False,
            "size": content.size,
            "checksum": content.checksum,
            "mimetype": content.mimetype,
            "chunks": content.chunks,
            "modified_at": content.modified_at,
        }
        if known is None:
            self._create(file, fields)
        else:
            fields |= {"id": known["id"], "version": known["version"] + 1, "status": "CHANGED"}
            # The parent has to be named in every version: without it means the root.
            fields |= {"parent_id": known["parent_id"], "filename": file.name}
            self._add(file.path, fields)

    def flush(self) -> None:
        """Commit what has been gathered."""
        paths, items = self._paths, self._items
        self._paths, self._items, self._chunks = [], [], 0
        self._temporary = {}
        if not items:
            return
        try:
            outcomes = self._connection.commit(self._workspace_id, self._device_id, items)["items"]
        except Refused as refused:
            for path in paths:
                self._refused(path, str(refused))
            return
        for path, outcome in zip(paths, outcomes, strict=False):
            if outcome["committed"]:
                self._committed(path, outcome["metadata"])
            else:
                self._refused(path, outcome["reason"], outcome["metadata"])
        self.report.deleted += len(outcomes) - len(paths)

    def _known(self, file: Entry) -> Item | None:
        """The file as the server has it."""
        return self._remote.items.get(file.path) if self._remote.has(file) else None

    def _create(self, entry: Entry, fields: Item) -> None:
        fields |= {"version": 1, "status": "NEW", "filename": entry.name}
        if entry.parent:
            parent_id = self._remote.folder(entry.parent) or self._temporary.get(entry.parent)
            if parent_id is None:
                self._refused(entry.path, "its folder was refused")
                return
            fields["parent_id"] = parent_id
        if entry.is_folder:
            self._made += 1
            self._temporary[entry.path] = fields["temp_id"] = -self._made
        self._add(entry.path, fields)

    def _add(self, path: str, item: Item) -> None:
        self._paths.append(path)
        self._items.append(item)
        self._chunks += len(item.get("chunks") or ())
        if len(self._items) >= self._size or self._chunks >= CHUNKS_PER_BATCH:
            self.flush()

    def _committed(self, path: str, item: Item) -> None:
        if item["status"] == "DELETED":
            self.report.deleted += 1
            return
        self._remote.items[path] = item
        if item["is_folder"]:
            self.report.folders += 1
        else:
            self.report.files += 1
            self.report.bytes += item["size"]

    def _refused(self, path: str, reason: str, held: Item | None = None) -> None:
        self.report.refused[reason] += 1
        self._note(f"refused {printable(path)}: {reason}")
        if reason == "name-taken" and held is not None and held["is_folder"]:
            # Somebody has made the same folder meanwhile: later batches use theirs.
            self._remote.items.setdefault(path, held)
