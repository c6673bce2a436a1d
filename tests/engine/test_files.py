"""Files are made, replaced, read and taken back, over a real database and a real disk."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.errors import (
    ContentEncrypted,
    Forbidden,
    ItemDeleted,
    ItemNotFound,
    NameTaken,
    ParentNotFound,
    QuotaExceeded,
    VersionMismatch,
)
from stacksync.model import ItemStatus, Principal
from stacksync.storage import DiskStore
from tests.db.builders import World, change, delete, folder, new
from tests.engine.conftest import Listener, People
from tests.engine.content.builders import (
    MIB,
    all_of,
    clients_content,
    in_pieces,
    noise,
)
from tests.engine.making_files import Untouchable, content_of, make
from tests.engine.two_members import put, shared_workspace

CONTENT = noise(5 * MIB)


@ensureDeferred
async def test_a_file_is_made_of_a_body_and_read_again(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person()
    docs = await anna.item(folder("docs"))
    when = datetime(2020, 2, 29, 12, 0, 0, 5000, tzinfo=UTC)
    item = await engine.files.create(
        anna.principal, "Grüße.txt", docs.id, in_pieces(CONTENT), length=None, modified_at=when
    )
    assert (item.name, item.parent_id, item.version) == ("Grüße.txt", docs.id, 1)
    assert (item.status, item.is_folder, item.modified_at) == (ItemStatus.NEW, False, when)
    assert (item.size, item.checksum) == (len(CONTENT), zlib.adler32(CONTENT))
    assert item.mimetype == "application/octet-stream"
    assert await content_of(engine, anna, item) == CONTENT
    assert listener.results[-1].outcomes[0].item == item
    file = await engine.files.open(anna.principal, item.id)
    assert file.item == item
    assert await all_of(await file.read(MIB - 1, 3 * MIB)) == CONTENT[MIB - 1 : 3 * MIB]


@pytest.mark.parametrize("content", [b"", b"x"])
@ensureDeferred
async def test_there_are_small_files_too(engine: Engine, people: People, content: bytes) -> None:
    anna = await people.person()
    item = await make(engine, anna, "small.txt", content)
    assert (item.size, len(item.chunks), item.mimetype) == (
        len(content),
        len(content),
        "text/plain",
    )
    assert await content_of(engine, anna, item) == content


@ensureDeferred
async def test_what_a_client_has_put_there_is_read(
    engine: Engine, people: People, store: DiskStore
) -> None:
    anna = await people.person()
    workspace = await engine.workspaces.get(anna.principal, anna.user.workspace_id)
    chunks = [CONTENT[: 2 * MIB], CONTENT[2 * MIB :]]
    made = await clients_content(store, workspace.container, chunks)
    item = await anna.item(new("film", chunks=made.chunks, size=made.size))
    assert await content_of(engine, anna, item) == CONTENT
    file = await engine.files.open(anna.principal, item.id)
    assert (
        await all_of(await file.read(2 * MIB - 1, 2 * MIB + 1))
        == CONTENT[2 * MIB - 1 : 2 * MIB + 1]
    )


@ensureDeferred
async def test_what_cannot_be_made_is_refused_before_the_body(
    engine: Engine, people: People, world: World
) -> None:
    anna, berta = await people.person(quota=100), await people.person()
    item, docs = await anna.items(new("taken", size=60), folder("docs"))
    foreign = await berta.item(new("foreign"))
    shown = await shared_workspace(world, berta, anna, "viewer")
    seen = await put(world, berta, shown, new("seen"))
    gone = await anna.item(delete(await anna.item(new("gone"))))
    body = Untouchable()
    files, me = engine.files, anna.principal

    async def refused(error: type[Exception], name: str, parent: int | None, length: int) -> None:
        with pytest.raises(error):
            await files.create(me, name, parent, body, length=length)

    await refused(NameTaken, "taken", None, 1)
    await refused(ParentNotFound, "a", item.id, 1)
    await refused(QuotaExceeded, "a", None, 41)

    async def kept(error: type[Exception], item_id: int, length: int = 1, **options: int) -> None:
        with pytest.raises(error):
            await files.replace(me, item_id, body, length=length, **options)

    await kept(ItemNotFound, foreign.id)
    await kept(ItemNotFound, docs.id)
    await kept(ItemNotFound, 0)
    await kept(Forbidden, seen.id)
    await kept(ItemDeleted, gone.id)
    await kept(VersionMismatch, item.id, expected=2)
    await kept(QuotaExceeded, item.id, 101)


@ensureDeferred
async def test_what_devices_encrypt_is_theirs_alone(
    engine: Engine, people: People, world: World
) -> None:
    anna = await people.person()
    item = await anna.item(new("secret"))
    newer = await anna.item(change(item, chunks=("chk-2",)))
    await world.database.query(
        "encrypt",
        "UPDATE workspace SET is_encrypted = true WHERE id = %s",
        [anna.user.workspace_id],
    )
    with pytest.raises(ContentEncrypted):
        await make(engine, anna)
    with pytest.raises(ContentEncrypted):
        await engine.files.replace(anna.principal, item.id, Untouchable(), length=1)
    for number in (None, 1):
        with pytest.raises(ContentEncrypted, match="chunk by chunk"):
            await engine.files.open(anna.principal, item.id, number)
    # To go back needs no look at the content.
    back = await engine.files.restore_version(anna.principal, item.id, 1)
    assert (back.version, back.chunks) == (newer.version + 1, item.chunks)


@ensureDeferred
async def test_the_moment_is_now_unless_the_sender_says_another(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    item = await make(engine, anna)
    assert before <= item.modified_at <= datetime.now(UTC)
    with pytest.raises(ItemNotFound):
        await engine.files.open(Principal(uuid4(), anna.principal.sign_in), item.id)
