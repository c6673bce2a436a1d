"""The service's side of a real Keystone, and ways to count and disturb what goes between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_twisted
from attrs import define
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from stacksync.config.openstack_options import KeystoneConfig
from stacksync.http_client import Retries
from stacksync.storage.keystone import Identities, Keystone
from tests.db.conftest import logged
from tests.servers.openstack.cloud import CloudProject
from tests.servers.proxy import Proxy

__all__ = ["logged"]

QUICK = Retries(tries=3, first_delay=0.02)


@define
class Wire:
    """A proxy before Keystone that keeps what is sent."""

    proxy: Proxy

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.proxy.port}/v3"

    @property
    def sign_ins(self) -> int:
        """How many requests for a token have come through."""
        return self.proxy.sent.count(b"POST /v3/auth/tokens ")


def settings_of(project: CloudProject, /, **changes: Any) -> KeystoneConfig:
    """The section ``[keystone]`` for a project's service user."""
    return KeystoneConfig(**{**project.options, "timeout": 60.0, **changes})


@pytest.fixture
def connect() -> Iterator[Callable[..., Keystone]]:
    """Makes a :class:`Keystone` for a project; takes changes to its settings, and ``retries``."""
    opened: list[Keystone] = []

    def connect(of: CloudProject, /, retries: Retries = QUICK, **changes: Any) -> Keystone:
        keystone = Keystone(reactor, settings_of(of, **changes), retries)
        keystone.start()
        opened.append(keystone)
        return keystone

    yield connect
    for keystone in opened:
        pytest_twisted.blockon(Deferred.fromCoroutine(keystone.stop()))


@pytest.fixture
def keystone(connect: Callable[..., Keystone], project: CloudProject) -> Keystone:
    """The service's side of the run's Keystone, in a project of this test's own."""
    return connect(project)


@pytest.fixture
def identities(keystone: Keystone) -> Identities:
    return Identities(keystone)


@pytest.fixture
def make_wire() -> Iterator[Callable[[str], Wire]]:
    """Puts a proxy before the Keystone at a URL."""
    with ExitStack() as proxies:

        def make(url: str) -> Wire:
            proxy = Proxy(urlsplit(url).port, records=True)
            proxies.callback(proxy.close)
            return Wire(proxy)

        yield make


@pytest.fixture
def wire(make_wire: Callable[[str], Wire], project: CloudProject) -> Wire:
    """A proxy before the run's Keystone."""
    return make_wire(project.keystone_url)
