"""Where the bytes of chunks are kept: the stores that ``[storage] url`` chooses from.

All access to the object store is here.  What a chunk is and who may read it
is not known here, and neither is the database.
"""

from __future__ import annotations

from typing import Any

from stacksync.config import Config
from stacksync.errors import ConfigurationError
from stacksync.http_client.policy import policy_of
from stacksync.storage.disk import DiskStore
from stacksync.storage.keystone import CA_OPTION, Keystone, keystone_for
from stacksync.storage.lifecycle import IStore
from stacksync.storage.swift import SwiftStore

__all__ = ["DiskStore", "IStore", "SwiftStore", "store_for"]


def store_for(reactor: Any, config: Config, keystone: Keystone | None = None) -> IStore:
    """The store of these settings, not yet started.

    :param reactor: an ``IReactorThreads``, ``IReactorTime`` and ``IReactorTCP``.
    :param keystone: the service's, which its owner starts and stops; without
        one, a store that needs it has its own.
    :raises ConfigurationError: the store needs what the settings don't tell.
    """
    settings = config.storage
    if settings.url == "swift":
        if not config.keystone.url:
            raise ConfigurationError(
                "[storage] url = swift needs to know where Keystone is: [keystone] url"
            )
        trust = policy_of(config.keystone.ca_file, CA_OPTION)
        if keystone is not None:
            return SwiftStore(reactor, keystone, settings, trust)
        return SwiftStore(
            reactor, keystone_for(reactor, config.keystone), settings, trust, owns_keystone=True
        )
    return DiskStore(
        reactor,
        # An absolute directory stays what it is.
        config.service.home / settings.directory,
        threads=settings.threads,
        timeout=settings.timeout,
    )
