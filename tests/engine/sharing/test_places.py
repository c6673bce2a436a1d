"""Whether a new file can stand somewhere is known before its content is sent."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.errors import (
    ContentEncrypted,
    Forbidden,
    InvalidRequest,
    NameTaken,
    ParentNotFound,
    QuotaExceeded,
    WorkspaceNotFound,
)
from tests.db.builders import World, delete, folder, new
from tests.engine.conftest import People
from tests.engine.two_members import put, shared_workspace


@ensureDeferred
async def test_a_place_is_a_folder_or_the_root_of_a_workspace(
    engine: Engine, people: People
) -> None:
    anna = await people.person(quota=100)
    docs = await anna.item(folder("docs"))
    for parent in (None, 0, docs.id):
        for size in (None, 0, 100):
            place = await engine.items.place(anna.principal, "file", parent, size)
            assert place.parent_id == (parent or None)
            assert place.workspace.id == anna.user.workspace_id


@ensureDeferred
async def test_where_nothing_can_stand_is_told(engine: Engine, people: People) -> None:
    anna, berta = await people.person(quota=100), await people.person()
    docs, file, gone = await anna.items(folder("docs"), new("file"), folder("gone"))
    inner = await anna.item(new("file", docs))
    await anna.items(delete(gone), delete(inner))
    foreign = await berta.item(folder("foreign"))
    place, me = engine.items.place, anna.principal
    for parent in (file.id, gone.id, foreign.id, 2**62, -1, 2**64):
        with pytest.raises(ParentNotFound) as missing:
            await place(me, "x", parent, None)
        assert missing.value.identity == parent
    for name in ("", "a/b", "x" * 256):
        with pytest.raises(InvalidRequest, match=r"^name: "):
            await place(me, name, None, None)
    for size in (-1, 2**63):
        with pytest.raises(InvalidRequest, match=r"^size: "):
            await place(me, "x", None, size)
    with pytest.raises(NameTaken) as taken:
        await place(me, "file", None, None)
    assert taken.value.current == file
    # The name of a deleted item is free.
    assert (await place(me, "file", docs.id, 90)).parent_id == docs.id
    with pytest.raises(QuotaExceeded, match=r"^of the quota of 100 bytes 90 are left"):
        await place(me, "x", None, 91)


@ensureDeferred
async def test_an_empty_file_stands_where_the_quota_is_used_up(
    engine: Engine, people: People, world: World
) -> None:
    anna = await people.person(quota=10)
    await anna.item(new("file"))
    await world.accounts.update(anna.user.account.id, None, None, 5)
    assert (await engine.items.place(anna.principal, "x", None, 0)).parent_id is None
    with pytest.raises(QuotaExceeded, match=r"^of the quota of 5 bytes 0 are left"):
        await engine.items.place(anna.principal, "x", None, 1)


@ensureDeferred
async def test_a_viewer_has_no_place_and_an_editor_uses_up_the_owners_quota(
    engine: Engine, people: People, world: World
) -> None:
    anna, berta = await people.person(quota=10), await people.person()
    for role in ("viewer", "editor"):
        shared = await shared_workspace(world, anna, berta, role)
        docs = await put(world, anna, shared, folder("docs"))
        if role == "viewer":
            with pytest.raises(Forbidden):
                await engine.items.place(berta.principal, "x", docs.id, None)
            with pytest.raises(Forbidden):
                await engine.items.create_folder(berta.principal, "x", docs.id)
            continue
        place = await engine.items.place(berta.principal, "x", docs.id, 10)
        assert place.workspace.id == shared
        with pytest.raises(QuotaExceeded):
            await engine.items.place(berta.principal, "x", docs.id, 11)


@ensureDeferred
async def test_the_server_makes_no_content_where_devices_encrypt_it(
    engine: Engine, people: People, world: World
) -> None:
    anna = await people.person()
    docs = await anna.item(folder("docs"))
    await world.database.query(
        "encrypt", "UPDATE workspace SET is_encrypted = true WHERE id = %s",
        [anna.user.workspace_id],
    )  # fmt: skip
    for parent in (None, docs.id):
        with pytest.raises(ContentEncrypted):
            await engine.items.place(anna.principal, "x", parent, None)
    assert (await engine.items.create_folder(anna.principal, "within", docs.id)).version == 1


@ensureDeferred
async def test_without_a_workspace_of_ones_own_there_is_no_root(
    engine: Engine, people: People, world: World
) -> None:
    anna = await people.person()
    await world.database.query(
        "share", "UPDATE workspace SET is_shared = true WHERE id = %s", [anna.user.workspace_id]
    )
    with pytest.raises(WorkspaceNotFound, match=r"^no such workspace: the default one$"):
        await engine.items.place(anna.principal, "x", None, None)
