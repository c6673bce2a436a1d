"""Whatever is not the principal's looks like what does not exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from pytest_twisted import ensureDeferred

from stacksync.db.commits import RequestRefused
from stacksync.engine import Engine
from stacksync.engine.access import refused_commit
from stacksync.errors import (
    DeviceNotFound,
    Forbidden,
    ItemNotFound,
    NotFound,
    RequestReused,
    WorkspaceNotFound,
)
from stacksync.model import CommitRequest, DeviceDescription, ItemShape, Principal, SignIn
from tests.db.builders import new
from tests.engine.conftest import People

SHAPE = ItemShape({"name": "name"})


async def refusal(asking: Awaitable[object], identity: object) -> tuple[type, str]:
    """Which error it is and how it reads, the identity left out."""
    with pytest.raises(NotFound) as caught:
        await asking
    return type(caught.value), str(caught.value).replace(str(identity), "it")


@ensureDeferred
async def test_anothers_workspace_reads_like_none(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    asks: list[Callable[[UUID], Awaitable[object]]] = [
        lambda workspace: engine.workspaces.get(anna.principal, workspace),
        lambda workspace: engine.changes.since(anna.principal, workspace, 0, SHAPE),
        lambda workspace: engine.changes.since(anna.principal, workspace, 99, SHAPE),
        lambda workspace: engine.commits.commit(
            anna.principal, anna.request(new("a"), workspace_id=workspace)
        ),
        lambda workspace: engine.workspaces.update(
            anna.principal, "r", workspace, name="mine", parent_item_id=None
        ),
    ]
    for ask in asks:
        refusals = [
            await refusal(ask(workspace), workspace)
            for workspace in (berta.user.workspace_id, uuid4())
        ]
        assert refusals == [(WorkspaceNotFound, "no such workspace: it")] * 2


@ensureDeferred
async def test_anothers_device_and_item_read_like_none(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    item = await berta.item(new("a"))
    description = DeviceDescription(name="mine")
    for device in (berta.user.device_id, uuid4()):
        told = await refusal(engine.devices.update(anna.principal, device, description), device)
        assert told == (DeviceNotFound, "no such device: it")
    me = anna.principal
    asks: list[Callable[[int], Awaitable[object]]] = [
        lambda item_id: engine.versions.of(me, item_id),
        lambda item_id: engine.versions.one(me, item_id, 1),
        lambda item_id: engine.items.get(me, item_id, is_folder=False),
        lambda item_id: engine.items.delete(me, item_id, is_folder=False),
        lambda item_id: engine.items.relocate(
            me, item_id, is_folder=False, name="x", parent_id=None
        ),
        lambda item_id: engine.trash.restore(
            me, item_id, is_folder=False, name=None, parent_id=None
        ),
    ]
    for ask in asks:
        for item_id in (item.id, 2**62, 0, -1, 2**63, 2**100):
            told = await refusal(ask(item_id), item_id)
            assert told == (ItemNotFound, "no such item: it")


@ensureDeferred
async def test_a_principal_whose_account_is_gone_finds_nothing(
    engine: Engine, people: People
) -> None:
    nobody = Principal(uuid4(), SignIn.PASSWORD)
    anna = await people.person()
    assert await engine.workspaces.list(nobody) == ()
    assert await engine.devices.list(nobody) == ()
    with pytest.raises(WorkspaceNotFound):
        await engine.commits.commit(nobody, anna.request(new("a")))


def test_each_reason_to_refuse_a_commit_has_its_error() -> None:
    request = CommitRequest(uuid4(), uuid4(), "r", ())
    for reason, kind in {
        "workspace": WorkspaceNotFound,
        "device": DeviceNotFound,
        "reused": RequestReused,
        "role": Forbidden,
    }.items():
        assert type(refused_commit(request, RequestRefused(reason, 3))) is kind
