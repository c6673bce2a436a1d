"""A page of a container's objects in the byte order of their names.

Directories have no order, and the 256 of a container cut across it.  So each
page looks at all names, a directory at a time, but keeps no more of them than
a few pages' worth.  For threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from stacksync.model import BlobInfo
from stacksync.storage.blob_info import blob_info, is_object
from stacksync.storage.names import Location, shelf_of
from stacksync.storage.tree import CONTAINERS, SHELVES, Tree

KEPT_PAGES = 4
"""How many pages' worth of names are gathered before they are sorted and cut to one."""


def containers(tree: Tree, after: bytes, limit: int) -> list[str]:
    """See :meth:`stacksync.interfaces.IBlobStore.containers`."""
    with tree.part(CONTAINERS) as descriptor, os.scandir(descriptor) as entries:
        names = [
            name
            for name, entry in ((os.fsencode(entry.name), entry) for entry in entries)
            if name > after and entry.is_dir(follow_symlinks=False)
        ]
    return [name.decode() for name in sorted(names)[:limit]]


def page(tree: Tree, container: bytes, after: bytes, limit: int) -> list[BlobInfo]:
    """See :meth:`stacksync.interfaces.IBlobStore.list`.

    :raises ContainerNotFound: there is no such container.
    """
    found: list[BlobInfo] = []
    with tree.container(container) as descriptor:
        while len(found) < limit:
            wanted = limit - len(found)
            names = _first_names(tree, descriptor, container, after, wanted)
            found.extend(_infos(tree, descriptor, container, names))
            if len(names) < wanted:
                break
            # Some may have been deleted since their names were read.  A page
            # that is not full says that there are no more, so go on.
            after = names[-1]
    return found


def _first_names(
    tree: Tree, descriptor: int, container: bytes, after: bytes, wanted: int
) -> list[bytes]:
    """The ``wanted`` smallest names after ``after``, in order."""
    names: list[bytes] = []
    last: bytes | None = None
    for shelf in _shelves(tree, descriptor, container):
        # bytes of an entry whatever the locale's encoding is.
        entries = map(os.fsencode, os.listdir(shelf))
        if last is None:
            names.extend(name for name in entries if name > after)
        else:
            names.extend(name for name in entries if after < name < last)
        if len(names) > wanted * KEPT_PAGES:
            names.sort()
            del names[wanted:]
            last = names[-1]
    names.sort()
    return names[:wanted]


def _infos(tree: Tree, descriptor: int, container: bytes, names: list[bytes]) -> Iterator[BlobInfo]:
    by_shelf: dict[bytes, list[bytes]] = {}
    for name in names:
        by_shelf.setdefault(shelf_of(name), []).append(name)
    found: dict[bytes, BlobInfo] = {}
    for shelf, on_shelf in by_shelf.items():
        opened = tree.shelf_in(descriptor, Location(container, shelf, b""))
        if opened is None:
            continue
        try:
            for name in on_shelf:
                info = _info(name, opened)
                if info is not None:
                    found[name] = info
        finally:
            os.close(opened)
    return (found[name] for name in names if name in found)


def _info(name: bytes, shelf: int) -> BlobInfo | None:
    try:
        status = os.stat(name, dir_fd=shelf, follow_symlinks=False)
        return blob_info(name, status) if is_object(status) else None
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def _shelves(tree: Tree, descriptor: int, container: bytes) -> Iterator[int]:
    for number in range(SHELVES):
        shelf = tree.shelf_in(descriptor, Location(container, b"%02x" % number, b""))
        if shelf is not None:
            try:
                yield shelf
            finally:
                os.close(shelf)
