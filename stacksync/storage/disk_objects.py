"""What is done to a single object as it stands on disk: looked at, touched, removed.

Everything here waits for the disk: to be called in threads.
"""

from __future__ import annotations

import errno
import os

from stacksync.model import BlobInfo
from stacksync.storage.blob_info import blob_info, is_object
from stacksync.storage.names import Location
from stacksync.storage.tree import Tree


def look_at(tree: Tree, location: Location) -> BlobInfo | None:
    """See :meth:`stacksync.interfaces.IBlobStore.head`."""
    with tree.shelf(location) as shelf:
        return None if shelf is None else _info(location, shelf)


def refresh(tree: Tree, location: Location) -> BlobInfo | None:
    """See :meth:`stacksync.interfaces.IBlobStore.refresh`."""
    with tree.shelf(location) as shelf:
        if shelf is None:
            return None
        try:
            os.utime(location.name, dir_fd=shelf, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return _info(location, shelf)


def remove(tree: Tree, location: Location) -> bool:
    """See :meth:`stacksync.interfaces.IBlobStore.delete`.

    Not synced: an object that a power failure brings back is garbage again.
    """
    with tree.shelf(location) as shelf:
        if shelf is None:
            return False
        try:
            os.unlink(location.name, dir_fd=shelf)
        except FileNotFoundError:
            return False
        return True


def _info(location: Location, shelf: int) -> BlobInfo | None:
    try:
        status = os.stat(location.name, dir_fd=shelf, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not is_object(status):
        raise OSError(errno.EINVAL, "not a plain file")
    return blob_info(location.name, status)
