"""Who takes part in a shared folder, and how that ends."""

from __future__ import annotations

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.errors import (
    Conflict,
    DeviceNotFound,
    InvalidRequest,
    ItemNotFound,
    NestedShare,
    SharedFolder,
)
from stacksync.model import AddresseeState, Role
from tests.db.builders import delete, folder, new
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


@ensureDeferred
async def test_nobody_shares_or_moves_in_the_name_of_a_device_of_others(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    photos, music = await anna.items(folder("Photos"), folder("Music"))
    await shared(anna, photos, berta)
    (file,) = await berta.items(new("file"))
    forged = evolve(berta.principal, device_id=anna.user.device_id)
    with pytest.raises(DeviceNotFound):
        await engine.items.relocate(
            forged, file.id, is_folder=False, name=None, parent_id=photos.id, request_id="hers"
        )
    with pytest.raises(DeviceNotFound):
        await engine.proposals.propose(forged, photos.id, ["somebody@example.org"])
    with pytest.raises(DeviceNotFound):
        await engine.members.leave(forged, photos.id)
    await engine.proposals.propose(anna.principal, music.id, [berta.user.account.email])
    (waiting,) = await engine.proposals.waiting(berta.principal)
    with pytest.raises(DeviceNotFound):
        await engine.proposals.accept(forged, waiting.id)


@ensureDeferred
async def test_what_is_encrypted_is_never_taken_for_what_is_not(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    empty, used = await anna.items(folder("empty"), folder("used"))
    (file,) = await anna.items(new("file", used))
    await anna.items(delete(file))
    email = berta.user.account.email
    with pytest.raises(Conflict, match="was deleted from it"):
        await engine.proposals.propose(anna.principal, used.id, [email], is_encrypted=True)

    await engine.proposals.propose(anna.principal, empty.id, [email], is_encrypted=True)
    (waiting,) = await engine.proposals.waiting(berta.principal)
    await engine.proposals.accept(berta.principal, waiting.id)
    await engine.members.leave(berta.principal, empty.id)
    assert len(await engine.workspaces.list(anna.principal)) == 1

    await engine.proposals.propose(anna.principal, empty.id, [email], is_encrypted=True)
    (waiting,) = await engine.proposals.waiting(berta.principal)
    workspace = await engine.proposals.accept(berta.principal, waiting.id)
    await engine.commits.commit(
        berta.principal, berta.request(new("secret"), workspace_id=workspace.id)
    )
    await engine.members.leave(berta.principal, empty.id)
    assert await tree(berta) == {}
    assert await tree(anna) == {"empty/": {"secret": 10}, "used/": {}}
    assert (await engine.workspaces.get(anna.principal, workspace.id)).is_encrypted
    # It can be shared anew, with the same workspace.
    await engine.proposals.propose(anna.principal, empty.id, [email])
    (waiting,) = await engine.proposals.waiting(berta.principal)
    assert waiting.is_encrypted
    assert (await engine.proposals.accept(berta.principal, waiting.id)).id == workspace.id
    assert await tree(berta) == {"empty/": {"secret": 10}}
