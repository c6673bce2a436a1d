"""Who takes part in a shared folder, and how that ends."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.errors import InvalidRequest, ItemNotFound, NestedShare, SharedFolder
from stacksync.model import AddresseeState, Role
from tests.db.builders import folder, new
from tests.engine.conftest import People
from tests.engine.folders import shared, tree


@ensureDeferred
async def test_sharing_and_unsharing_leave_the_folder_where_it_was(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    await anna.items(new("a", photos))
    workspace = await shared(anna, photos, berta)
    assert workspace.is_shared
    assert workspace.role is Role.EDITOR
    assert workspace.root_item_id == photos.id
    assert await tree(anna) == await tree(berta) == {"Photos/": {"a": 10}}
    members = await engine.members.list(berta.principal, photos.id)
    assert [member.role for member in members] == [Role.OWNER, Role.EDITOR]

    told = await engine.members.unshare(anna.principal, photos.id, [berta.user.account.email])
    assert [each.state for each in told] == [AddresseeState.REMOVED]
    assert await tree(anna) == {"Photos/": {"a": 10}}
    assert await tree(berta) == {}
    with pytest.raises(ItemNotFound):
        await engine.members.list(berta.principal, photos.id)
    assert len(await engine.workspaces.list(anna.principal)) == 1


@ensureDeferred
async def test_the_last_guest_who_leaves_makes_the_folder_private(
    engine: Engine, people: People
) -> None:
    anna, berta, carl = [await people.person() for _ in range(3)]
    (photos,) = await anna.items(folder("Photos"))
    first = await shared(anna, photos, berta)
    assert (await shared(anna, photos, carl)).id == first.id
    await engine.members.leave(berta.principal, photos.id)
    assert await tree(carl) == {"Photos/": {}}
    assert await tree(berta) == {}
    await engine.members.leave(carl.principal, photos.id)
    assert await tree(carl) == {}
    assert await tree(anna) == {"Photos/": {}}
    assert len(await engine.workspaces.list(anna.principal)) == 1
    again = await shared(anna, photos, berta)
    assert again.id != first.id


@ensureDeferred
async def test_nobody_removes_the_owner(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    await shared(anna, photos, berta)
    email = anna.user.account.email
    with pytest.raises(InvalidRequest, match=f"{email} corresponds with owner of the folder."):
        await engine.members.unshare(berta.principal, photos.id, [email])
    with pytest.raises(InvalidRequest, match="No addressees found"):
        await engine.members.unshare(
            berta.principal, photos.id, [berta.user.account.email, "unknown@example.org"]
        )
    with pytest.raises(SharedFolder, match="can be unshared, not left"):
        await engine.members.leave(anna.principal, photos.id)


@ensureDeferred
async def test_only_the_shared_folder_itself_can_be_left(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    (within,) = await anna.items(folder("within", photos))
    await shared(anna, photos, berta)
    with pytest.raises(NestedShare):
        await engine.members.leave(berta.principal, within.id)
    with pytest.raises(NestedShare):
        await engine.members.unshare(anna.principal, within.id, [berta.user.account.email])
