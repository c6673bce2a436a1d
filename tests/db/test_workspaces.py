"""Workspaces are seen by their members, each with a mount of its own."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.model import Role
from tests.db.builders import User, World, delete, folder, new
from tests.db.observation import Psql


async def join(world: World, workspace_id: UUID, user: User, role: str = "editor") -> None:
    await world.database.query(
        "join",
        "INSERT INTO membership (account_id, workspace_id, role, mount_name)"
        " VALUES (%s, %s, %s, 'guest')",
        [user.account.id, workspace_id, role],
    )


@ensureDeferred
async def test_a_member_sees_workspaces_in_the_order_they_were_made(world: World) -> None:
    anna = await world.user()
    made = [anna.workspace_id, *[await world.workspace(anna) for _ in range(3)]]
    listed = await world.workspaces.of_account(anna.account.id)
    assert [workspace.id for workspace in listed] == made
    assert await world.workspaces.of_account(uuid4()) == ()


@ensureDeferred
async def test_a_guest_sees_the_owner_and_the_owners_quota(world: World) -> None:
    anna, berta = await world.user(quota=7), await world.user()
    await join(world, anna.workspace_id, berta, "viewer")
    workspace = await world.workspaces.of_member(berta.account.id, anna.workspace_id)
    assert workspace is not None
    assert workspace.owner == anna.account
    assert (workspace.role, workspace.name) == (Role.VIEWER, "guest")
    mine = await world.workspaces.of_member(anna.account.id, anna.workspace_id)
    assert mine == evolve(workspace, role=Role.OWNER, name="StackSync")


@ensureDeferred
async def test_who_is_no_member_sees_nothing(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    for workspace_id in (anna.workspace_id, uuid4()):
        assert await world.workspaces.of_member(berta.account.id, workspace_id) is None
        remounted = await world.workspaces.remount(berta.account.id, workspace_id, "mine", None)
        assert remounted is None


@ensureDeferred
async def test_a_commit_shows_in_the_revision(world: World) -> None:
    anna = await world.user()
    for revision in (0, 1, 2):
        workspace = await world.workspaces.of_member(anna.account.id, anna.workspace_id)
        assert workspace is not None
        assert (workspace.latest_revision, workspace.oldest_revision) == (revision, 0)
        await world.items(anna, new(f"file {revision}"))


@ensureDeferred
async def test_each_member_mounts_a_workspace_for_itself(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    await join(world, anna.workspace_id, berta)
    docs = await world.item(berta, folder("docs"))
    remount = world.workspaces.remount
    changed = await remount(berta.account.id, anna.workspace_id, "Annas", docs.id)
    assert changed is not None
    assert (changed.name, changed.parent_item_id) == ("Annas", docs.id)
    for name, parent, expected in (
        (None, None, ("Annas", docs.id)),
        ("Hers", None, ("Hers", docs.id)),
        (None, 0, ("Hers", None)),
    ):
        changed = await remount(berta.account.id, anna.workspace_id, name, parent)
        assert changed is not None
        assert (changed.name, changed.parent_item_id) == expected
        seen = await world.workspaces.of_member(berta.account.id, anna.workspace_id)
        assert seen == changed
    mine = await world.workspaces.of_member(anna.account.id, anna.workspace_id)
    assert mine is not None
    assert (mine.name, mine.parent_item_id) == ("StackSync", None)


@ensureDeferred
async def test_a_mount_is_in_a_live_folder_of_another_workspace_of_the_member(
    world: World,
) -> None:
    anna, berta = await world.user(), await world.user()
    await join(world, anna.workspace_id, berta)
    within = await world.item(anna, folder("within"))
    file, gone = await world.items(berta, new("file"), folder("gone"))
    await world.items(berta, delete(gone))
    foreign = await world.item(anna, folder("foreign"), workspace_id=await world.workspace(anna))
    before = await world.workspaces.of_member(berta.account.id, anna.workspace_id)
    for parent in (within.id, file.id, gone.id, foreign.id, 2**62):
        remounted = await world.workspaces.remount(
            berta.account.id, anna.workspace_id, "renamed", parent
        )
        assert remounted is None
    assert await world.workspaces.of_member(berta.account.id, anna.workspace_id) == before


@ensureDeferred
async def test_recent_commits_are_found_by_their_age(world: World, psql: Psql) -> None:
    anna, berta, idle = [await world.user() for _ in range(3)]
    await world.items(anna, new("a"))
    await world.items(anna, new("b"))
    await world.items(berta, new("a"))
    psql.rows(
        "UPDATE workspace SET committed_at = now() - interval '100 s' WHERE id = %s",
        berta.workspace_id,
    )
    both = {anna.workspace_id: 2, berta.workspace_id: 1}

    async def between(oldest: float, newest: float) -> dict[UUID, int]:
        found = dict(await world.workspaces.committed_between(oldest, newest))
        assert idle.workspace_id not in found
        return {each: revision for each, revision in found.items() if each in both}

    assert await between(200, 0) == both
    assert await between(50, 0) == {anna.workspace_id: 2}
    assert await between(200, 50) == {berta.workspace_id: 1}
    assert await between(50.5, 49.5) == {}


@ensureDeferred
@pytest.mark.parametrize("refused", [True, False])
async def test_a_refused_commit_is_no_recent_commit(world: World, refused: bool) -> None:
    anna = await world.user()
    await world.commit(anna, new("a", 2**62 if refused else None))
    found = dict(await world.workspaces.committed_between(60, 0))
    assert (anna.workspace_id in found) is not refused


@ensureDeferred
async def test_the_default_workspace_is_the_oldest_of_ones_own_that_is_not_shared(
    world: World,
) -> None:
    anna, berta = await world.user(), await world.user()
    await world.workspace(berta, "editor", of=anna)
    await world.workspace(anna)
    found = await world.workspaces.default_of(anna.account.id)
    assert found == await world.workspaces.of_member(anna.account.id, anna.workspace_id)
    await world.database.query(
        "share", "UPDATE workspace SET is_shared = true WHERE owner_id = %s", [anna.account.id]
    )
    assert await world.workspaces.default_of(anna.account.id) is None
    assert await world.workspaces.default_of(uuid4()) is None
