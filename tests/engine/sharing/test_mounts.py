"""Shared folders as each member names and mounts them, beside its own items."""

from __future__ import annotations

import orjson
import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.errors import (
    Forbidden,
    ItemNotFound,
    NameTaken,
    NestedShare,
    SharedFolder,
    VersionMismatch,
)
from stacksync.model import ItemStatus, Order, Paging, Refusal, Role
from tests.db.builders import change, delete, folder, move, new, refusals, rename
from tests.db.observation import Psql
from tests.engine.conftest import Listener, People
from tests.engine.folders import SHAPE, shared, tree


@ensureDeferred
async def test_each_member_renames_and_moves_a_shared_folder_for_itself(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    (docs,) = await berta.items(folder("docs"))
    await shared(anna, photos, berta)
    item = await engine.items.relocate(
        berta.principal, photos.id, is_folder=True, name="Hers", parent_id=docs.id
    )
    assert (item.id, item.name, item.parent_id) == (photos.id, "Hers", docs.id)
    got = await engine.items.get(berta.principal, photos.id, is_folder=True)
    assert (got.name, got.parent_id) == ("Hers", docs.id)
    assert await tree(berta) == {"docs/": {"Hers/": {}}}
    assert await tree(anna) == {"Photos/": {}}
    with pytest.raises(VersionMismatch):
        await engine.items.relocate(
            berta.principal, photos.id, is_folder=True, name="x", parent_id=None, expected=1
        )
    await berta.items(delete(docs))
    assert await tree(berta) == {"Hers/": {}}


@ensureDeferred
async def test_a_mount_and_an_item_never_have_one_name(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    file, gone = await berta.items(new("file"), new("gone"))
    (docs,) = await berta.items(folder("docs"))
    await shared(anna, photos, berta)
    refused = await berta.commit(new("Photos"))
    assert refusals(refused) == [Refusal.NAME_TAKEN]
    assert refused.outcomes[0].item is not None
    assert refused.outcomes[0].item.id == photos.id
    assert refusals(await berta.commit(rename(file, "Photos"))) == [Refusal.NAME_TAKEN]
    (inside,) = await berta.items(new("Photos", docs))
    assert refusals(await berta.commit(move(inside, None))) == [Refusal.NAME_TAKEN]
    with pytest.raises(NameTaken) as caught:
        await engine.items.relocate(
            berta.principal, file.id, is_folder=False, name="Photos", parent_id=None
        )
    assert getattr(caught.value.current, "id", None) == photos.id
    for name, parent in (("file", None), (None, docs.id)):
        with pytest.raises(NameTaken):
            await engine.items.relocate(
                berta.principal, photos.id, is_folder=True, name=name, parent_id=parent
            )
    await berta.items(delete(gone))
    await engine.items.relocate(
        berta.principal, photos.id, is_folder=True, name="gone", parent_id=None
    )
    with pytest.raises(NameTaken):
        await engine.trash.restore(
            berta.principal, gone.id, is_folder=False, name=None, parent_id=None
        )


@ensureDeferred
async def test_commits_leave_the_shared_folder_itself_alone(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    workspace = await shared(anna, photos, berta)
    now = evolve(photos, version=photos.version + 1)
    for person in (anna, berta):
        for asked in (
            rename(now, "x"), delete(now), change(now), change(now, restores=True),
            change(now, ItemStatus.RENAMED, name="x", version=1),
        ):  # fmt: skip
            request = person.request(asked, workspace_id=workspace.id)
            result = await engine.commits.commit(person.principal, request)
            assert refusals(result) == [Refusal.SHARED_FOLDER]
            assert await engine.commits.commit(person.principal, request) == evolve(
                result, repeated=True
            )
        with pytest.raises(SharedFolder):
            await engine.items.delete(person.principal, photos.id, is_folder=True)


@ensureDeferred
async def test_no_parent_means_the_folder_for_who_does_not_know_it(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    workspace = await shared(anna, photos, berta)
    request = berta.request(new("file"), workspace_id=workspace.id)
    result = await engine.commits.commit(berta.principal, request)
    item = result.outcomes[0].item
    assert item is not None
    assert item.parent_id == photos.id
    again = await engine.commits.commit(berta.principal, request)
    assert again == evolve(result, repeated=True)
    changed = change(item, parent_id=None, size=11, chunks=("chk-2",))
    await engine.commits.commit(anna.principal, anna.request(changed, workspace_id=workspace.id))
    assert await tree(anna) == {"Photos/": {"file": 11}}


@ensureDeferred
async def test_viewers_look_but_cannot_change(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    (file,) = await anna.items(new("file", photos))
    workspace = await shared(anna, photos, berta, Role.VIEWER)
    with pytest.raises(Forbidden):
        await engine.commits.commit(
            berta.principal, berta.request(new("x"), workspace_id=workspace.id)
        )
    with pytest.raises(Forbidden):
        await engine.items.relocate(
            berta.principal, file.id, is_folder=False, name=None, parent_id=0
        )
    assert await tree(berta) == {"Photos/": {"file": 10}}


@ensureDeferred
async def test_mounts_stand_in_private_workspaces_only(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    photos, music = await anna.items(folder("Photos"), folder("Music"))
    (within,) = await anna.items(folder("within", photos))
    first = await shared(anna, photos, berta)
    await shared(anna, music, berta)
    for parent in (within.id, photos.id):
        with pytest.raises(NestedShare):
            await engine.items.relocate(
                berta.principal, music.id, is_folder=True, name=None, parent_id=parent
            )
        with pytest.raises(NestedShare):
            await engine.workspaces.update(
                anna.principal, "r", first.id, name=None, parent_item_id=parent
            )
    with pytest.raises(ItemNotFound):
        await engine.workspaces.update(
            anna.principal, "r", first.id, name=None, parent_item_id=2**62
        )


@ensureDeferred
@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("descending", [False, True])
async def test_pages_tell_items_and_mounts_in_one_order(
    engine: Engine, people: People, order: Order, descending: bool
) -> None:
    anna, berta = await people.person(), await people.person()
    folders = await anna.items(*[folder(name) for name in "bdf"])
    await berta.items(*[new(name) for name in "aceg"])
    for each in folders:
        await shared(anna, each, berta)

    async def names(limit: int) -> list[str]:
        found, after = [], None
        while True:
            page = await engine.items.contents(
                berta.principal, None, Paging(limit, after, order, descending), SHAPE
            )
            found += [each["name"] for each in orjson.loads(page.items)]
            after = page.next
            if after is None:
                return found

    whole = await names(100)
    assert sorted(whole) == list("abcdefg")
    for limit in (1, 2, 3):
        assert await names(limit) == whole


@ensureDeferred
async def test_what_is_mounted_in_a_folder_goes_to_the_root_when_that_is_deleted(
    engine: Engine, people: People, psql: Psql
) -> None:
    anna, berta = await people.person(), await people.person()
    photos, music = await anna.items(folder("Photos"), folder("Music"))
    _, docs = await berta.items(folder("Photos"), folder("docs"))
    (deep,) = await berta.items(folder("deep", docs))
    workspaces = [await shared(anna, each, berta) for each in (photos, music)]
    for each, parent in ((photos, docs), (music, deep)):
        await engine.items.relocate(
            berta.principal, each.id, is_folder=True, name="Photos", parent_id=parent.id
        )
    assert await tree(berta) == {"Photos/": {}, "docs/": {"Photos/": {}, "deep/": {"Photos/": {}}}}
    psql.rows("DELETE FROM job")

    deleted, *_ = await berta.items(delete(docs))

    assert await tree(berta) == {"Photos/": {}, "Photos (2)/": {}, "Photos (3)/": {}}
    assert await tree(anna) == {"Photos/": {}, "Music/": {}}
    for workspace in workspaces:
        mine = await engine.workspaces.get(berta.principal, workspace.id)
        assert mine.parent_item_id is None
        assert mine.name in ("Photos (2)", "Photos (3)")
        theirs = await engine.workspaces.get(anna.principal, workspace.id)
        assert theirs.name == ("Photos" if workspace.root_item_id == photos.id else "Music")
    told = psql.rows("SELECT queue, arguments ->> 'workspace_id' FROM job WHERE kind = 'notify'")
    queue = f"notify:{berta.user.account.id}"
    assert set(told) == {(queue, str(workspace.id)) for workspace in workspaces}
    # They have names of their own there, which is where they stay.
    assert refusals(await berta.commit(new("Photos (2)"))) == [Refusal.NAME_TAKEN]
    await berta.items(change(deleted, ItemStatus.CHANGED, restores=True))
    assert await tree(berta) == {
        "Photos/": {}, "Photos (2)/": {}, "Photos (3)/": {}, "docs/": {"deep/": {}},
    }  # fmt: skip


@ensureDeferred
async def test_a_mount_keeps_a_name_that_its_deleted_folder_had(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    await shared(anna, photos, berta)
    (mine,) = await berta.items(folder("mine"))
    await engine.items.relocate(
        berta.principal, photos.id, is_folder=True, name="mine", parent_id=mine.id
    )
    # A folder within a deleted one holds nothing that could be in the way of sharing it again.
    await berta.items(delete(mine))
    assert await tree(berta) == {"mine/": {}}
    got = await engine.items.get(berta.principal, photos.id, is_folder=True)
    assert (got.name, got.parent_id) == ("mine", None)
