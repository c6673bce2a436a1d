"""What the tests of signing in share: cheap hashes, and a clock that is ours."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import Clock

from stacksync.auth.passwords import PasswordHasher
from stacksync.config import AuthConfig


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings() -> AuthConfig:
    return AuthConfig(argon2_time_cost=1, argon2_memory=64 * 1024)


@pytest_twisted.async_yield_fixture
async def hasher(settings: AuthConfig) -> AsyncIterator[PasswordHasher]:
    made = PasswordHasher(reactor, settings)
    yield made
    await made.stop()
