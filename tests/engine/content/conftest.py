"""A content store over one in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet import reactor

from stacksync.config import LimitsConfig
from stacksync.engine.content import ContentStore
from stacksync.model import Workspace
from tests.engine.content import builders
from tests.engine.content.builders import Doomed
from tests.storage.memory import MemoryStore


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def doomed() -> Doomed:
    return Doomed()


@pytest.fixture
def content(memory: MemoryStore, doomed: Doomed) -> Iterator[ContentStore]:
    made = ContentStore(reactor, memory, doomed, LimitsConfig(), 2)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def workspace() -> Workspace:
    return builders.workspace()
