"""Swift behind TLS: only who proves to be the host of the catalogue gets tokens and chunks."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from stacksync.errors import Unavailable
from stacksync.http_client.policy import policy_of
from stacksync.storage import SwiftStore
from stacksync.storage.keystone import CA_OPTION
from stacksync.streams import BytesStream, read_all
from tests.servers.certificates import Authority, new_authority
from tests.servers.openstack.cloud import CloudProject
from tests.servers.proxy import Proxy
from tests.storage.contract.rig import HOME, LIMIT
from tests.storage.swift.conftest import SETTINGS, Detour, settings_of


class SecuredDetour(Detour):
    """A Keystone whose catalogue names a TLS front of Swift."""

    host = "127.0.0.1"

    async def object_store(self, interface: str | None = None) -> str:
        url = (await super().object_store(interface)).replace("http:", "https:")
        return url.replace("127.0.0.1", self.host)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path)


def secured_store(
    project: CloudProject, certificate: Path, ca_file: Path, stack: ExitStack, host: str
) -> tuple[SwiftStore, Proxy]:
    port = int(project.swift_url.rpartition(":")[2])
    proxy = Proxy(port, records=True, certificate=certificate)
    stack.callback(proxy.close)
    keystone = SecuredDetour(reactor, settings_of(project))
    keystone.proxy, keystone.host = proxy, host
    policy = policy_of(ca_file, CA_OPTION)
    store = SwiftStore(reactor, keystone, SETTINGS, policy, owns_keystone=True)
    store.start()
    return store, proxy


@ensureDeferred
async def test_a_swift_with_a_certificate_of_our_own_authority_is_taken(
    project: CloudProject, authority: Authority
) -> None:
    with ExitStack() as stack:
        certificate = authority.issue("127.0.0.1")
        store, _ = secured_store(project, certificate, authority.file, stack, "127.0.0.1")
        try:
            await store.create_container(HOME)
            await store.put(HOME, "chunk", BytesStream(b"content"))
            assert await read_all(await store.get(HOME, "chunk"), LIMIT) == b"content"
            await store.check()
        finally:
            await store.stop()


@ensureDeferred
async def test_whoever_cannot_prove_to_be_swift_gets_no_token(
    project: CloudProject, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "strangers").mkdir()
    stranger = new_authority(tmp_path / "strangers")
    ours, its = authority.issue("127.0.0.1"), stranger.issue("127.0.0.1")
    cases = [
        (ours, authority.file, "localhost", "https://localhost:.*for another host name"),
        (its, authority.file, "127.0.0.1", "signed by nobody whom we trust: let .*ca_file"),
        (ours, Path(), "127.0.0.1", "signed by nobody whom we trust: let .*ca_file"),
        (authority.issue("127.0.0.1", days=-1), authority.file, "127.0.0.1", "expired"),
    ]
    for certificate, ca_file, host, told in cases:
        with ExitStack() as stack:
            store, proxy = secured_store(project, certificate, ca_file, stack, host)
            try:
                with pytest.raises(Unavailable, match=f"^storage: .*{told}"):
                    await store.put(HOME, "chunk", BytesStream(b"content"))
            finally:
                await store.stop()
            assert not proxy.sent
