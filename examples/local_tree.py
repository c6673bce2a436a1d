"""A directory tree on this machine: what is in it, and what its files are made of.

It knows nothing of servers.  What cannot be kept in step (links, sockets, files
that may not be read, names that are not UTF-8) is reported and passed over.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
import stat
import zlib
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wording import printable

CHUNK = 512 * 1024
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ANY_TYPE = "application/octet-stream"


class Skipped(Exception):
    """This entry cannot be kept in step, and why."""


@dataclass(frozen=True)
class Entry:
    """A folder or file.

    :ivar path: from the tree's top folder on, with slashes: ``photos/2026/a.jpg``.
    :ivar place: where it is on this machine.
    :ivar size: bytes; 0 for a folder.
    :ivar modified_at: ISO 8601 in UTC, to the millisecond, as both protocols tell it.
    """

    path: str
    place: str
    is_folder: bool
    size: int
    modified_at: str

    @property
    def parent(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Content:
    """What was read of a file, all in one go.

    :ivar chunks: the names of its chunks, in order.
    """

    size: int
    checksum: int
    chunks: list[str]
    modified_at: str
    mimetype: str


@dataclass
class LocalTree:
    """The entries below a directory, parents before their children.

    :ivar skipped: the paths that were passed over.
    :ivar reasons: how many for which reason.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)

    def skip(self, path: str, reason: str, note: Callable[[str], None]) -> None:
        self.skipped.add(path)
        self.reasons[reason] += 1
        note(f"skipped {printable(path)}: {reason}")

    def hides(self, path: str) -> bool:
        """Whether a path was passed over, or stands below one that was."""
        while path:
            if path in self.skipped:
                return True
            path = path.rpartition("/")[0]
        return False


def read_tree(top: Path, note: Callable[[str], None]) -> LocalTree:
    """Look at everything below a directory, which is the first entry itself.

    :param note: takes a line for each entry that is passed over.
    :raises OSError: the directory itself cannot be read.
    """
    tree = LocalTree()
    information = top.stat()
    name = top.resolve().name or "root"
    tree.entries[name] = Entry(name, str(top), True, 0, instant(information))
    os.scandir(top).close()
    folders = deque([tree.entries[name]])
    while folders:
        folder = folders.popleft()
        try:
            with os.scandir(folder.place) as found:
                children = sorted(found, key=lambda child: child.name)
        except OSError as error:
            tree.skip(folder.path, reason_of(error), note)
            continue
        for child in children:
            path = f"{folder.path}/{child.name}"
            try:
                entry = look_at(path, child)
            except Skipped as skipped:
                tree.skip(path, str(skipped), note)
                continue
            tree.entries[path] = entry
            if entry.is_folder:
                folders.append(entry)
    return tree


def look_at(path: str, child: os.DirEntry[str]) -> Entry:
    try:
        child.name.encode()
    except UnicodeEncodeError:
        raise Skipped("its name is not UTF-8") from None
    try:
        information = child.stat(follow_symlinks=False)
    except OSError as error:
        raise Skipped(reason_of(error)) from error
    mode = information.st_mode
    if stat.S_ISDIR(mode):
        return Entry(path, child.path, True, 0, instant(information))
    check_regular(mode)
    return Entry(path, child.path, False, information.st_size, instant(information))


def read_file(entry: Entry, owner: str, take: Callable[[str, bytes], object]) -> Content:
    """Read a file to its end, one chunk at a time.

    :param owner: what stands at the end of the chunks' names, ``chk-<SHA-1>-<owner>``.
    :param take: is given each chunk's name and bytes.
    :raises Skipped: it can't be read, or is no file any more.
    """
    try:
        # Should it have become a link or a pipe meanwhile: neither follow it nor wait for it.
        descriptor = os.open(entry.place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb", buffering=0) as file:
            information = os.fstat(descriptor)
            check_regular(information.st_mode)
            size, checksum, chunks = 0, 1, []
            while chunk := read_chunk(file.read):
                size += len(chunk)
                checksum = zlib.adler32(chunk, checksum)
                digest = hashlib.sha1(chunk, usedforsecurity=False).hexdigest().upper()
                chunks.append(f"chk-{digest}-{owner}")
                take(chunks[-1], chunk)
    except OSError as error:
        raise Skipped(reason_of(error)) from error
    mimetype = mimetypes.guess_type(entry.name)[0] or ANY_TYPE
    return Content(size, checksum, chunks, instant(information), mimetype)


def read_chunk(read: Callable[[int], bytes | None]) -> bytes:
    """The next chunk: full-sized but at the end of the file, however little a read returns."""
    pieces: list[bytes] = []
    missing = CHUNK
    while missing and (piece := read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def check_regular(mode: int) -> None:
    if stat.S_ISLNK(mode):
        raise Skipped("a symbolic link")
    if not stat.S_ISREG(mode):
        raise Skipped("neither a file nor a folder")


def instant(information: os.stat_result) -> str:
    try:
        moment = EPOCH + timedelta(milliseconds=information.st_mtime_ns // 1_000_000)
    except OverflowError:
        raise Skipped("its time is beyond the year 9999") from None
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def reason_of(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
