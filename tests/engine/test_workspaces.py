"""A member renames and re-mounts a workspace for itself, and its devices hear of it."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.errors import InvalidRequest, ItemNotFound, Unavailable
from stacksync.events import WorkspaceUpdated
from tests.db.builders import folder, new
from tests.db.observation import CapturedLog
from tests.engine.conftest import Listener, People


@ensureDeferred
async def test_a_workspace_is_renamed_and_remounted_and_the_devices_hear_of_it(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person()
    other = await people.world.workspace(anna.user)
    docs = await anna.item(folder("docs"))
    listener.events.clear()
    updated = await engine.workspaces.update(
        anna.principal, "request 1", other, name="Other", parent_item_id=docs.id
    )
    assert (updated.name, updated.parent_item_id) == ("Other", docs.id)
    assert await engine.workspaces.get(anna.principal, other) == updated
    assert updated in await engine.workspaces.list(anna.principal)
    back = await engine.workspaces.update(
        anna.principal, "request 2", other, name=None, parent_item_id=0
    )
    assert (back.name, back.parent_item_id) == ("Other", None)
    assert listener.events == [
        WorkspaceUpdated(anna.user.account.id, "request 1", updated),
        WorkspaceUpdated(anna.user.account.id, "request 2", back),
    ]


@ensureDeferred
async def test_devices_that_cannot_be_told_do_not_undo_it(
    engine: Engine, people: People, listener: Listener, logged: CapturedLog
) -> None:
    anna = await people.person()
    listener.failure = Unavailable("broker", "away")
    updated = await engine.workspaces.update(
        anna.principal, "r", anna.user.workspace_id, name="Mine", parent_item_id=None
    )
    assert updated.name == "Mine"
    assert not logged.errors


@ensureDeferred
async def test_a_mount_needs_a_folder_of_another_workspace(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person()
    docs, file = await anna.items(folder("docs"), new("file"))
    listener.events.clear()
    for parent in (docs.id, file.id, 2**62):
        with pytest.raises(ItemNotFound, match=f"no such item: {parent}"):
            await engine.workspaces.update(
                anna.principal, "r", anna.user.workspace_id, name="x", parent_item_id=parent
            )
    assert listener.events == []


@ensureDeferred
async def test_what_no_mount_can_be_is_refused_by_name(engine: Engine, people: People) -> None:
    anna = await people.person()
    for name in ("", "a/b", "..", "nul\0", "\ud800", "x" * 256):
        with pytest.raises(InvalidRequest) as caught:
            await engine.workspaces.update(
                anna.principal, "r", anna.user.workspace_id, name=name, parent_item_id=None
            )
        assert caught.value.field == "name"
    for parent in (-1, 2**63):
        with pytest.raises(InvalidRequest) as caught:
            await engine.workspaces.update(
                anna.principal, "r", anna.user.workspace_id, name=None, parent_item_id=parent
            )
        assert caught.value.field == "parent_item_id"
