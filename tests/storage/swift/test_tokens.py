"""A token that is revoked in mid-use: one new one, and nobody notices."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.errors import Unavailable
from stacksync.storage import SwiftStore
from stacksync.storage.keystone import Keystone
from stacksync.streams import PIECE, BytesStream, read_all
from tests.servers.openstack.cloud import CloudProject
from tests.servers.openstack.server import OpenStackServer
from tests.storage.contract.bodies import Pieces
from tests.storage.contract.rig import ELSEWHERE, HOME, LIMIT

LARGE = 7


@pytest.mark.parametrize(
    "operation",
    ["put", "put large", "get", "head", "refresh", "delete", "copy", "list", "check"],
)
@ensureDeferred
async def test_no_operation_fails_when_the_token_is_revoked(
    store: SwiftStore, keystone: Keystone, openstack: OpenStackServer, operation: str
) -> None:
    await store.create_container(ELSEWHERE)
    await store.put(HOME, "chunk", BytesStream(b"content"))
    token = await keystone.token()
    openstack.cloud.revoke(token)

    match operation:
        case "put":
            await store.put(HOME, "new", Pieces([bytes(PIECE)] * 2))
        case "put large":
            await store.put(HOME, "new", Pieces([bytes(PIECE)] * LARGE))
        case "get":
            assert await read_all(await store.get(HOME, "chunk"), LIMIT) == b"content"
        case "head":
            assert await store.head(HOME, "chunk")
        case "refresh":
            assert await store.refresh(HOME, "chunk")
        case "delete":
            assert await store.delete(HOME, "chunk")
        case "copy":
            assert await store.copy(HOME, "chunk", ELSEWHERE)
        case "list":
            assert len(await store.list(HOME)) == 1
        case "check":
            await store.check()

    assert await keystone.token() != token


@ensureDeferred
async def test_many_requests_get_one_new_token(
    store: SwiftStore, keystone: Keystone, openstack: OpenStackServer
) -> None:
    tokens = set()
    revoked = await keystone.token()
    openstack.cloud.revoke(revoked)

    async def put(number: int) -> None:
        await store.put(HOME, f"chunk-{number}", BytesStream(bytes(PIECE)))
        tokens.add(await keystone.token())

    await gatherResults([Deferred.fromCoroutine(put(number)) for number in range(20)])

    assert len(tokens) == 1
    assert revoked not in tokens
    assert len(await store.list(HOME)) == 20


@ensureDeferred
async def test_a_user_who_lost_his_role_is_told_so(
    store: SwiftStore, openstack: OpenStackServer, project: CloudProject
) -> None:
    for role in ("admin", "swiftoperator"):
        openstack.cloud.withdraw(project.service, project.id, role)

    with pytest.raises(Unavailable, match=r"^storage: .*([Rr]efuse|role)"):
        await store.head(HOME, "chunk")
    with pytest.raises(Unavailable, match=r"^storage: "):
        await store.check()
