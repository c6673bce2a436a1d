"""Files change, go back, and are told apart from repeats of the same request."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.errors import (
    ItemDeleted,
    ItemNotFound,
    NameTaken,
    RequestReused,
    VersionMismatch,
    VersionNotFound,
)
from stacksync.interfaces import IByteStream
from stacksync.model import Item, ItemStatus
from tests.db.builders import delete, folder, rename
from tests.engine.conftest import People
from tests.engine.content.builders import (
    MIB,
    Pieces,
    noise,
)
from tests.engine.making_files import Untouchable, content_of, make

CONTENT = noise(5 * MIB)


@ensureDeferred
async def test_new_content_is_a_new_version_and_the_old_one_stays(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    docs = await anna.item(folder("docs"))
    item = await make(engine, anna, "notes", b"first", docs.id)
    newer = await engine.files.replace(anna.principal, item.id, Pieces([b"second"]), length=6)
    assert (newer.version, newer.status, newer.size) == (2, ItemStatus.CHANGED, 6)
    assert (newer.name, newer.parent_id) == ("notes", docs.id)
    emptied = await engine.files.replace(anna.principal, item.id, Pieces([]), length=0, expected=2)
    assert (emptied.version, emptied.size, emptied.chunks) == (3, 0, ())
    contents = [await content_of(engine, anna, item, number) for number in (1, 2, 3, None)]
    assert contents == [b"first", b"second", b"", b""]
    with pytest.raises(VersionNotFound):
        await engine.files.open(anna.principal, item.id, 4)


@ensureDeferred
async def test_a_version_is_made_the_newest_under_the_present_name(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    item = await make(engine, anna, "notes", b"first")
    await engine.files.replace(anna.principal, item.id, Pieces([b"second"]), length=6)
    renamed = await anna.item(
        rename(await engine.items.get(anna.principal, item.id, is_folder=False), "n")
    )
    files = engine.files
    with pytest.raises(VersionMismatch):
        await files.restore_version(anna.principal, item.id, 1, expected=2)
    back = await files.restore_version(anna.principal, item.id, 1, expected=3, request_id="back")
    assert (back.version, back.status, back.name) == (4, ItemStatus.CHANGED, "n")
    assert (back.size, back.checksum, back.chunks) == (item.size, item.checksum, item.chunks)
    assert back.mimetype == item.mimetype
    assert await content_of(engine, anna, item) == b"first"
    assert await files.restore_version(anna.principal, item.id, 4) == back
    again = await files.restore_version(anna.principal, item.id, 1, expected=3, request_id="back")
    assert again == back
    with pytest.raises(VersionNotFound):
        await files.restore_version(anna.principal, item.id, 9)
    await anna.item(delete(back))
    with pytest.raises(ItemDeleted):
        await files.restore_version(anna.principal, item.id, 1)
    docs = await anna.item(folder("docs"))
    with pytest.raises(ItemNotFound):
        await files.restore_version(anna.principal, docs.id, 1)
    assert renamed.version == 3


@ensureDeferred
async def test_what_is_deleted_is_read_by_its_versions_alone(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    item = await make(engine, anna, content=b"still there")
    gone = await anna.item(delete(item))
    with pytest.raises(ItemDeleted):
        await engine.files.open(anna.principal, item.id)
    assert await content_of(engine, anna, item, 1) == b"still there"
    assert await content_of(engine, anna, item, gone.version) == b"still there"
    with pytest.raises(ItemNotFound):
        await engine.files.open(berta.principal, item.id, 1)
    with pytest.raises(ItemNotFound):
        await engine.files.open(anna.principal, (await anna.item(folder("docs"))).id, 1)


@ensureDeferred
async def test_the_file_overtaken_by_another_version_is_replaced_all_the_same(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    item = await make(engine, anna, "a")

    class Overtaken(Pieces):
        async def read(self) -> bytes:
            if not self.reads:
                held = await engine.items.get(anna.principal, item.id, is_folder=False)
                await anna.item(rename(held, f"renamed {held.version}"))
            return await super().read()

    body: IByteStream = Overtaken([b"newer"])
    newer = await engine.files.replace(anna.principal, item.id, body, length=5)
    assert (newer.version, newer.name, newer.size) == (3, "renamed 1", 5)
    with pytest.raises(VersionMismatch) as stale:
        await engine.files.replace(
            anna.principal, item.id, Overtaken([b"newer"]), length=5, expected=3
        )
    assert isinstance(stale.value.current, Item)
    assert stale.value.current.version == 4


@ensureDeferred
async def test_a_repeat_is_answered_as_the_first_time_and_its_body_is_not_read(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    files, me = engine.files, anna.principal
    first = await files.create(me, "a", None, Pieces([b"one"]), length=3, request_id="make")
    changed = await files.replace(me, first.id, Pieces([b"two"]), length=3, request_id="put")
    await anna.item(rename(changed, "b"))
    body = Untouchable()
    assert await files.create(me, "a", None, body, length=3, request_id="make") == first
    again = await files.replace(me, first.id, body, length=3, expected=1, request_id="put")
    assert again == changed
    versions = await engine.versions.of(me, first.id)
    assert [each.version for each in versions] == [3, 2, 1]


@ensureDeferred
async def test_a_request_id_stands_for_one_request(engine: Engine, people: People) -> None:
    anna = await people.person()
    files, me = engine.files, anna.principal
    first = await files.create(me, "a", None, Pieces([b"one"]), length=3, request_id="make")
    with pytest.raises(RequestReused):
        await files.create(me, "b", None, Pieces([b"one"]), length=3, request_id="make")
    docs = await anna.item(folder("docs"))
    for parent, body in ((docs.id, b"one"), (None, b"other")):
        with pytest.raises((RequestReused, NameTaken)):
            await files.create(me, "a", parent, Pieces([body]), length=len(body), request_id="make")
    with pytest.raises(RequestReused):
        await files.replace(me, first.id, Pieces([b"two"]), length=3, request_id="make")
    other = await people.person()
    assert (
        await files.create(
            other.principal, "a", None, Pieces([b"one"]), length=3, request_id="make"
        )
    ).id != first.id
