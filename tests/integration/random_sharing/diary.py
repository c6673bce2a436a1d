"""What a random run keeps of itself: who did what, and which bytes were uploaded."""

from __future__ import annotations

import threading

from tests.integration.clients.answers import Item


class Diary:
    """What everybody did and was told, in the order of the answers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, who: str, text: str) -> None:
        self.lines.append(f"{who}: {text}")

    def __str__(self) -> str:
        return "\n".join(self.lines)


class Contents:
    """What was uploaded, by file and version.  Several people tell it at once."""

    def __init__(self) -> None:
        self._known: dict[int, dict[int, bytes | int]] = {}
        """The content of each version, or the number of the one that has the same."""
        self._expected: set[bytes] = set()
        self._lock = threading.Lock()

    def expect(self, content: bytes) -> None:
        """It is about to be uploaded."""
        with self._lock:
            self._expected.add(content)

    def is_known(self, content: bytes) -> bool:
        """Whether somebody has uploaded just that."""
        with self._lock:
            return content in self._expected

    def note(self, item: Item, content: bytes) -> None:
        with self._lock:
            self._known.setdefault(item["id"], {})[item["version"]] = content

    def note_same(self, item: Item, version: int) -> None:
        """It has an earlier version's once more, which its author may still be about to note."""
        with self._lock:
            self._known.setdefault(item["id"], {})[item["version"]] = version

    def of(self, item_id: int, version: int) -> bytes | None:
        """The content of a version: of the newest one up to it that brought any."""
        with self._lock:
            known = self._known.get(item_id, {})
            wanted: bytes | int = version
            while isinstance(wanted, int):
                before = [number for number in known if number <= wanted]
                if not before:
                    return None
                wanted = known[max(before)]
            return wanted

    @property
    def files(self) -> list[int]:
        with self._lock:
            return list(self._known)
