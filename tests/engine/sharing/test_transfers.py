"""Moves into a shared folder, out of it, and between two."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from pytest_twisted import ensureDeferred

from stacksync.db.listings import Listings
from stacksync.engine import Engine
from stacksync.engine.sharing.mounts import Mounts
from stacksync.engine.sharing.transfers import Transfer, Transfers
from stacksync.engine.uploads import UploadOrder
from stacksync.engine.uploads.target import UploadPlace, UploadTarget
from stacksync.errors import (
    ElsewhereNow,
    Forbidden,
    ItemNotFound,
    NameTaken,
    NestedShare,
    QuotaExceeded,
    RequestReused,
    VersionMismatch,
)
from stacksync.model import (
    Item,
    ItemChange,
    ItemPage,
    ItemStatus,
    Principal,
    Role,
    Workspace,
)
from stacksync.streams import BytesStream
from tests.db.builders import change, folder, new
from tests.db.observation import until
from tests.engine.conftest import Listener, People, Person
from tests.engine.folders import shared, tree


async def relocate(person: Person, item: Item, parent: Item | int, **others: object) -> Item:
    return await person.engine.items.relocate(
        person.principal,
        item.id,
        is_folder=item.is_folder,
        name=None,
        parent_id=parent.id if isinstance(parent, Item) else parent,
        **others,  # type: ignore[arg-type]
    )


@ensureDeferred
async def test_the_use_of_the_quota_goes_along(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna, berta = await people.person(quota=25), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    workspace = await shared(anna, photos, berta)
    docs, big = await berta.items(folder("docs"), new("big", size=26))
    await berta.items(new("a", docs), new("b", docs))
    listener.events.clear()
    moved = await relocate(berta, docs, photos)
    assert (moved.workspace_id, moved.status) == (workspace.id, ItemStatus.MOVED)
    assert await tree(anna) == {"Photos/": {"docs/": {"a": 10, "b": 10}}}
    assert (await engine.accounts.of(anna.principal)).quota_used == 20
    assert (await engine.accounts.of(berta.principal)).quota_used == 26

    def told() -> set[tuple[UUID, int]]:
        return {(result.workspace_id, len(result.outcomes)) for result in listener.results}

    await until(lambda: told() >= {(workspace.id, 3), (berta.user.workspace_id, 3)})
    with pytest.raises(QuotaExceeded):
        await relocate(berta, big, photos)
    # Out of it, 0 is the root of one's own.
    back = await relocate(berta, moved, 0)
    assert back.parent_id is None
    assert await tree(berta) == {"Photos/": {}, "big": 26, "docs/": {"a": 10, "b": 10}}
    assert (await engine.accounts.of(anna.principal)).quota_used == 0


@ensureDeferred
async def test_a_repeat_is_answered_as_the_first_time(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    photos, docs = await anna.items(folder("Photos"), folder("docs"))
    await anna.items(new("a", docs))
    await shared(anna, photos, berta)
    moved = await relocate(anna, docs, photos, request_id="once")
    assert await relocate(anna, docs, photos, request_id="once") == moved
    await anna.engine.items.relocate(
        anna.principal, docs.id, is_folder=True, name="later", parent_id=None
    )
    assert await relocate(anna, docs, photos, request_id="once") == moved


@ensureDeferred
async def test_what_cannot_be_moved_there(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    photos, music = await anna.items(folder("Photos"), folder("Music"))
    (mine,) = await anna.items(new("x", music))
    (taken,) = await anna.items(new("x", photos))
    await shared(anna, photos, berta)
    await shared(anna, music, berta, Role.VIEWER)
    for parent, item in ((photos, mine), (music, taken)):
        with pytest.raises(Forbidden):
            await relocate(berta, item, parent)
    with pytest.raises(NameTaken):
        await relocate(anna, mine, photos)
    with pytest.raises(VersionMismatch):
        await relocate(anna, mine, photos, expected=1)
    (docs,) = await anna.items(folder("docs"))
    await relocate(anna, music, docs)
    with pytest.raises(NestedShare):
        await relocate(anna, docs, photos)


@ensureDeferred
async def test_content_for_what_has_gone_elsewhere_is_to_be_sent_again(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    photos, file = await anna.items(folder("Photos"), new("file"))
    await shared(anna, photos, berta)
    commits = engine.items._commits
    old = file.workspace_id
    await relocate(anna, file, photos)

    def describe(item: Item) -> ItemChange:
        return change(item, size=3)

    with pytest.raises(ElsewhereNow, match="send it again"):
        await commits.change(
            anna.principal, file.id, describe, expected=None, request_id=None, only_in=old
        )
    with pytest.raises(ElsewhereNow, match="send it again"):
        await commits.create(anna.principal, old, new("y", photos), request_id=None)
    followed = await commits.change(
        anna.principal, file.id, describe, expected=None, request_id=None
    )
    assert followed.size == 3


@ensureDeferred
async def test_an_upload_goes_along_with_its_folder(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    upload = await engine.uploads.create(
        anna.principal, UploadOrder(length=6, name="six", parent_id=photos.id)
    )
    upload = await engine.uploads.append(anna.principal, upload.id, 0, BytesStream(b"abc"))
    workspace = await shared(anna, photos, berta)
    stale = await engine.uploads.get(anna.principal, upload.id)
    assert stale.workspace_id == workspace.id
    done = await engine.uploads.append(anna.principal, upload.id, 3, BytesStream(b"def"))
    assert done.item_id is not None
    assert await tree(berta) == {"Photos/": {"six": 6}}
    # What arrives for the place where it was is not taken.
    assert await engine.uploads._table.set_length(upload, 6, engine.uploads._now()) is None


@ensureDeferred
async def test_an_upload_is_begun_where_its_folder_is_by_then_or_not_at_all(
    engine: Engine, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    order = UploadOrder(length=3, name="three", parent_id=photos.id)
    find = UploadTarget.find

    async def early(target: UploadTarget, principal: Principal, order: UploadOrder) -> UploadPlace:
        place = await find(target, principal, order)
        await shared(anna, photos, berta)
        return place

    monkeypatch.setattr(UploadTarget, "find", early)
    with pytest.raises(ElsewhereNow):
        await engine.uploads.create(anna.principal, order)
    monkeypatch.undo()
    upload = await engine.uploads.create(anna.principal, order)
    await engine.uploads.append(anna.principal, upload.id, 0, BytesStream(b"abc"))
    assert await tree(berta) == {"Photos/": {"three": 3}}


@ensureDeferred
async def test_who_may_only_look_by_now_goes_on_with_no_upload(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    await shared(anna, photos, berta)
    upload = await engine.uploads.create(
        berta.principal, UploadOrder(length=6, name="six", parent_id=photos.id)
    )
    upload = await engine.uploads.append(berta.principal, upload.id, 0, BytesStream(b"abc"))
    email = berta.user.account.email
    await engine.proposals.propose(anna.principal, photos.id, [email], role=Role.VIEWER)
    with pytest.raises(Forbidden):
        await engine.uploads.append(berta.principal, upload.id, 3, BytesStream(b"de"))
    assert (await engine.uploads.get(berta.principal, upload.id)).offset == 3


@ensureDeferred
async def test_a_folder_that_was_shared_meanwhile_is_not_torn_out_of_its_workspace(
    engine: Engine, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, berta = await people.person(), await people.person()
    photos, music = await anna.items(folder("Photos"), folder("Music"))
    await anna.items(new("a", photos))
    await shared(anna, music, berta)
    carry_out = Transfers.carry_out

    async def late(transfers: Transfers, principal: Principal, transfer: Transfer) -> Item:
        await shared(anna, photos, berta)
        return await carry_out(transfers, principal, transfer)

    monkeypatch.setattr(Transfers, "carry_out", late)
    with pytest.raises(ElsewhereNow):
        await relocate(anna, photos, music)
    assert await tree(berta) == {"Photos/": {"a": 10}, "Music/": {}}
    with pytest.raises(NestedShare):
        await relocate(anna, photos, music)


@ensureDeferred
async def test_a_folder_that_became_private_meanwhile_is_moved_when_sent_again(
    engine: Engine, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, berta = await people.person(), await people.person()
    photos, docs = await anna.items(folder("Photos"), folder("docs"))
    await shared(anna, photos, berta)
    remount = Mounts.remount

    async def late(mounts: Mounts, *asked: Any) -> Workspace:
        await engine.members.leave(berta.principal, photos.id)
        return await remount(mounts, *asked)

    monkeypatch.setattr(Mounts, "remount", late)
    with pytest.raises(ElsewhereNow):
        await relocate(anna, photos, docs)
    monkeypatch.undo()
    await relocate(anna, photos, docs)
    assert await tree(anna) == {"docs/": {"Photos/": {}}}
    with pytest.raises(ItemNotFound):
        await relocate(berta, photos, 0)


@ensureDeferred
async def test_a_request_id_that_moved_an_item_stands_for_no_other_move(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    photos, docs = await anna.items(folder("Photos"), folder("docs"))
    (file,) = await anna.items(new("file"))
    await shared(anna, photos, berta)
    moved = await relocate(anna, file, photos, request_id="once")
    assert await relocate(anna, file, photos, request_id="once") == moved
    with pytest.raises(RequestReused):
        await relocate(anna, file, docs, request_id="once")
    with pytest.raises(RequestReused):
        await engine.items.relocate(
            anna.principal, file.id, is_folder=False, name="x", parent_id=photos.id,
            request_id="once",
        )  # fmt: skip


@ensureDeferred
async def test_a_folder_that_moves_while_it_is_listed_does_not_look_empty(
    engine: Engine, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    await anna.items(new("a", photos))
    contents = Listings.contents

    async def late(listings: Listings, *asked: Any, **others: Any) -> ItemPage:
        monkeypatch.undo()
        await shared(anna, photos, berta)
        return await contents(listings, *asked, **others)

    monkeypatch.setattr(Listings, "contents", late)
    assert await tree(anna, photos.id) == {"a": 10}


@ensureDeferred
async def test_a_repeat_is_answered_as_the_first_time_though_its_folder_is_shared_by_then(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))

    async def make(name: str) -> Item:
        return await engine.items.create_folder(anna.principal, name, photos.id, request_id="once")

    made = await make("inside")
    await shared(anna, photos, berta)
    assert await make("inside") == made
    with pytest.raises(RequestReused):
        await make("other")
    assert await tree(berta) == {"Photos/": {"inside/": {}}}
