"""Where the bytes of chunks are kept: the stores that ``[storage] url`` chooses from.

All access to the object store is here.  What a chunk is and who may read it
is not known here, and neither is the database.
"""

from __future__ import annotations

from typing import Any

from stacksync.config import Config
from stacksync.storage.disk import DiskStore
from stacksync.storage.lifecycle import IStore

__all__ = ["DiskStore", "IStore", "store_for"]


def store_for(reactor: Any, config: Config) -> IStore:
    """The store of these settings, not yet started.

    :param reactor: an ``IReactorThreads`` and ``IReactorTime``.
    """
    settings = config.storage
    return DiskStore(
        reactor,
        # An absolute directory stays what it is.
        config.service.home / settings.directory,
        threads=settings.threads,
        timeout=settings.timeout,
    )
