"""Opens the database and the engine for one command, and closes them again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from stacksync.config import Config
from stacksync.core import Core


@asynccontextmanager
async def database_url(reactor: Any, config: Config) -> AsyncIterator[str]:
    """The libpq URL of the configured database, as it is; the embedded one runs meanwhile.

    :raises ConfigurationError: the embedded database can't be had here.
    :raises Unavailable: the embedded database did not start.
    """
    core = Core(reactor, config)
    try:
        yield await core.open_database()
    finally:
        await core.stop()


@asynccontextmanager
async def engine(reactor: Any, config: Config) -> AsyncIterator[Core]:
    """The engine on the configured database; an embedded one is migrated first.

    Nothing runs in the engine's background: one command needs none of it.

    :raises ConfigurationError: the embedded database can't be had here.
    :raises SchemaMismatch: the schema is not the one of this program.
    :raises Unavailable: the database can't be reached.
    """
    core = Core(reactor, config)
    try:
        await core.start()
        await core.check_schema()
        yield core
    finally:
        await core.stop()
