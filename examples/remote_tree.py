"""A folder of a workspace as the server has it, by path."""

from __future__ import annotations

from connections import Item
from local_tree import Content, Entry, LocalTree


class RemoteTree:
    """The live items from a folder in the workspace's root on.

    :param top: the folder's name.
    :param items: all live items of the workspace, parents before their children.
    :ivar items: by path; kept up to date with what is committed.
    """

    def __init__(self, top: str, items: list[Item]) -> None:
        self.items: dict[str, Item] = {}
        paths: dict[int, str] = {}
        for item in items:
            parent = item["parent_id"]
            if parent is None and item["filename"] == top:
                path = top
            elif parent in paths:
                path = f"{paths[parent]}/{item['filename']}"
            else:
                continue
            self.items[path] = item
            paths[item["id"]] = path

    def has(self, entry: Entry) -> bool:
        """Whether there is an item of this path and kind."""
        item = self.items.get(entry.path)
        return item is not None and bool(item["is_folder"]) == entry.is_folder

    def folder(self, path: str) -> int | None:
        """The id of the folder at a path, if there is one."""
        item = self.items.get(path)
        return item["id"] if item is not None and item["is_folder"] else None

    def remove(self, path: str) -> Item:
        """Take out an item and what is below it."""
        removed = self.items[path]
        below = f"{path}/"
        self.items = {
            other: item
            for other, item in self.items.items()
            if other != path and not other.startswith(below)
        }
        return removed

    def differs(self, file: Entry) -> bool:
        """Whether a file is worth reading: it is new, or its size or time is another."""
        if not self.has(file):
            return True
        item = self.items[file.path]
        return bool(item["size"] != file.size or item["modified_at"] != file.modified_at)

    def has_content(self, file: Entry, content: Content) -> bool:
        item = self.items[file.path]
        return bool(item["size"] == content.size and item["checksum"] == content.checksum)

    def gone(self, tree: LocalTree) -> list[str]:
        """The topmost paths that are not in the local tree any more, or of another kind.

        What the local tree passed over is not gone, and keeps its folders.
        """
        gone: set[str] = set()
        topmost = []
        for path, item in self.items.items():
            entry = tree.entries.get(path)
            if entry is not None and entry.is_folder == bool(item["is_folder"]):
                continue
            if tree.hides(path):
                continue
            gone.add(path)
            if path.rpartition("/")[0] not in gone:
                topmost.append(path)
        return topmost
