"""What a crash leaves behind: half-written objects, containers half removed.  For threads."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from twisted.logger import Logger

from stacksync.storage.tree import DELETED, DIRECTORY, INCOMING, Tree

log = Logger()

KEPT_SECONDS = 24 * 3600.0
"""How long something in ``incoming`` must not have been written to before it is a leftover.

Other instances may be writing there.
"""


def sweep(tree: Tree, now: float) -> None:
    """Remove what nobody will ever finish; what can't be removed is logged.

    :param now: seconds since 1970.
    """
    removed = 0
    with tree.part(INCOMING) as incoming:
        for name in os.listdir(incoming):
            try:
                status = os.stat(name, dir_fd=incoming, follow_symlinks=False)
                if now - status.st_mtime > KEPT_SECONDS:
                    os.unlink(name, dir_fd=incoming)
                    removed += 1
            except FileNotFoundError:
                continue
            except OSError as error:
                _could_not_remove(tree, INCOMING, name, error)
    with tree.part(DELETED) as deleted:
        names = os.listdir(deleted)
    for name in names:
        try:
            for shelf in shelves_of(tree, name):
                remove_shelf(tree, name, shelf)
            remove_emptied(tree, name)
            removed += 1
        except FileNotFoundError:
            continue
        except OSError as error:
            _could_not_remove(tree, DELETED, name, error)
    if removed:
        log.info("storage: removed {count} leftovers of an earlier run", count=removed)


def shelves_of(tree: Tree, name: str) -> list[str]:
    """What is in a container that has been moved to ``deleted``."""
    with tree.part(DELETED) as deleted:
        container = os.open(name, DIRECTORY, dir_fd=deleted)
    try:
        return os.listdir(container)
    finally:
        os.close(container)


def remove_shelf(tree: Tree, name: str, shelf: str) -> None:
    """Remove one directory of such a container, or what stands in the place of one."""
    with tree.part(DELETED) as deleted:
        container = os.open(name, DIRECTORY, dir_fd=deleted)
    try:
        if stat.S_ISDIR(os.stat(shelf, dir_fd=container, follow_symlinks=False).st_mode):
            with _unless_filled_again():
                shutil.rmtree(shelf, dir_fd=container)
        else:
            os.unlink(shelf, dir_fd=container)
    except FileNotFoundError:
        pass
    finally:
        os.close(container)


def remove_emptied(tree: Tree, name: str) -> None:
    """Remove such a container that has nothing in it any more."""
    with tree.part(DELETED) as deleted, _unless_filled_again():
        os.rmdir(name, dir_fd=deleted)


@contextmanager
def _unless_filled_again() -> Iterator[None]:
    """Who was about to put an object there may still do it; the next start sees to that."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise


def _could_not_remove(tree: Tree, part: str, name: str, error: OSError) -> None:
    log.warn(
        "storage: cannot remove {path}: {problem}",
        path=str(tree.root / part / name),
        problem=error.strerror,
    )
