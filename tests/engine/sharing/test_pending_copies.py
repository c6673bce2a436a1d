"""While chunks are on their way: users read them, and those who tidy up leave them alone.

The rows that a move of items makes are made by hand here.
"""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine.content.chunk_object import encode, name_of
from stacksync.errors import ChunkConflict, ChunkNotFound
from stacksync.model import Item
from stacksync.streams import BytesStream, read_all
from tests.db.builders import folder
from tests.engine.conftest import Person
from tests.engine.content.builders import noise
from tests.engine.estate import DAY, Estate, estate
from tests.engine.folders import shared

__all__ = ["estate"]

LARGE = noise(3_000_000)


async def departed(estate: Estate, person: Person, content: bytes = LARGE) -> tuple[Item, str]:
    """A file whose chunks are all in another container than its workspace's, and that one."""
    item = await estate.upload(person, "a.bin", content)
    own, elsewhere = estate.container(person), "before"
    await estate.store.create_container(elsewhere)
    for name in estate.chunks(person):
        await estate.store.copy(own, name, elsewhere)
        estate.psql.rows("INSERT INTO chunk_copy VALUES (%s, %s, %s)", own, name, elsewhere)
    await estate.store.delete_container(own)
    return item, elsewhere


@ensureDeferred
async def test_a_file_is_read_before_its_chunks_are_copied(estate: Estate) -> None:
    anna = await estate.person()
    item, _ = await departed(estate, anna)
    assert await estate.content(anna, item) == LARGE
    opened = await estate.engine.files.open(anna.principal, item.id, None)
    stream = await opened.read(1_000_000, 1_000_100)
    assert await read_all(stream, limit=1000) == LARGE[1_000_000:1_000_100]


@ensureDeferred
async def test_its_chunks_are_there_for_who_puts_files_together(estate: Estate) -> None:
    anna = await estate.person()
    item, _ = await departed(estate, anna)
    workspace = anna.user.workspace_id
    name = item.chunks[0]

    info = await estate.engine.chunks.head(anna.principal, workspace, name)
    opened = await estate.engine.chunks.open(anna.principal, workspace, name)

    assert info.size == opened.info.size == len(await read_all(await opened.read(), limit=10**7))
    estate.psql.rows("DELETE FROM chunk_copy")
    with pytest.raises(ChunkNotFound):
        await estate.engine.chunks.head(anna.principal, workspace, name)


@ensureDeferred
async def test_a_name_that_is_on_its_way_is_taken(estate: Estate) -> None:
    anna = await estate.person()
    own, workspace = estate.container(anna), anna.user.workspace_id
    await estate.store.create_container("before")
    await estate.store.put("before", "chk-1", BytesStream(b"one"))
    estate.psql.rows("INSERT INTO chunk_copy VALUES (%s, 'chk-1', 'before')", own)

    _, is_new = await estate.engine.chunks.put(
        anna.principal, workspace, "chk-1", BytesStream(b"one")
    )

    assert not is_new
    with pytest.raises(ChunkConflict):
        await estate.engine.chunks.put(anna.principal, workspace, "chk-1", BytesStream(b"two"))


@ensureDeferred
async def test_what_is_uploaded_again_meanwhile_is_kept(estate: Estate) -> None:
    anna = await estate.person()
    item, _ = await departed(estate, anna)
    again = await estate.upload(anna, "b.bin", LARGE)
    assert again.chunks == item.chunks
    estate.psql.rows("DELETE FROM chunk_copy")
    assert await estate.content(anna, again) == LARGE


@ensureDeferred
async def test_what_others_have_yet_to_get_is_no_garbage(estate: Estate) -> None:
    anna = await estate.person()
    kept, gone = b"still to be copied", b"nobody's"
    source = estate.container(anna)
    await estate.store.create_container(source)
    for each in (kept, gone):
        await estate.store.put(source, name_of(each), BytesStream(encode(each)))
    estate.psql.rows("INSERT INTO chunk_copy VALUES ('later', %s, %s)", name_of(kept), source)
    estate.age(100 * DAY)

    foreseen = await estate.collect(dry_run=True)
    collected = await estate.collect()

    assert foreseen is not None
    assert collected is not None
    assert foreseen.swept.chunks == collected.swept.chunks == 1
    assert estate.chunks(anna) == {name_of(kept)}
    estate.psql.rows("DELETE FROM chunk_copy")
    await estate.collect()
    assert estate.chunks(anna) == set()


@pytest.mark.parametrize("way", ["out", "in"])
@ensureDeferred
async def test_what_moves_while_garbage_is_collected_is_spared(estate: Estate, way: str) -> None:
    anna = await estate.person()
    container, content = estate.container(anna), b"old"
    await estate.store.create_container(container)
    await estate.store.put(container, name_of(content), BytesStream(encode(content)))
    estate.age(100 * DAY)
    moves = 0

    def move(doing: str) -> None:
        """As soon as it has been seen that nothing refers to the chunk."""
        nonlocal moves
        if "looking for references" in doing:
            moves += 1
            places = ("another", container) if way == "out" else (container, "another")
            estate.psql.rows(
                "INSERT INTO chunk_copy VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                places[0], name_of(content), places[1],
            )  # fmt: skip

    await estate.collect(progress=move)

    assert moves
    assert estate.chunks(anna) == {name_of(content)}
    assert estate.psql.value("SELECT count(*) FROM doomed_chunk") == 0


@ensureDeferred
async def test_a_workspace_may_vanish_while_its_garbage_is_collected(estate: Estate) -> None:
    anna = await estate.person()
    container = estate.container(anna)
    await estate.store.create_container(container)
    await estate.store.put(container, name_of(b"old"), BytesStream(encode(b"old")))
    estate.age(100 * DAY)

    def vanish(doing: str) -> None:
        if "looking for references" in doing:
            estate.psql.rows("DELETE FROM workspace WHERE container = %s", container)

    await estate.collect(progress=vanish)

    assert await estate.store.head(container, name_of(b"old")) is not None
    assert estate.psql.value("SELECT count(*) FROM doomed_chunk") == 0


@ensureDeferred
async def test_a_container_that_is_to_be_removed_is_nobody_strange(estate: Estate) -> None:
    for container in ("leaving", "strange"):
        await estate.store.create_container(container)
    estate.psql.rows(
        """SELECT job_added('remove-container', 'container:leaving', '{"container": "leaving"}',
            NULL, interval '1 h')"""
    )
    collection = estate.collection()
    await collection.run()
    assert collection.unknown_containers == ["strange"]


@ensureDeferred
async def test_a_check_tells_of_pending_copies_and_finds_fault_with_none(estate: Estate) -> None:
    anna = await estate.person()
    item, elsewhere = await departed(estate, anna)
    check = estate.new_check()
    await check.run()
    assert check.findings.kept == []
    assert check.notes == [f"{len(set(item.chunks))} chunks are still to be copied"]
    await estate.store.delete(elsewhere, item.chunks[0])
    (finding,) = await estate.check(content=False)
    assert (finding.kind, finding.chunks) == ("bad-content", (item.chunks[0],))


@ensureDeferred
async def test_who_reads_a_shared_file_reads_on_when_it_becomes_private(estate: Estate) -> None:
    anna, berta = await estate.person(), await estate.person()
    photos = await anna.item(folder("Photos"))
    item = await estate.upload(anna, "a.bin", LARGE, photos)
    await shared(anna, photos, berta)
    opened = await estate.engine.files.open(berta.principal, item.id, None)
    await estate.engine.members.leave(berta.principal, photos.id)
    assert await read_all(await opened.read(0, len(LARGE)), limit=10**7) == LARGE
    assert await estate.content(anna, item) == LARGE
