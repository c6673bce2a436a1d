"""Chunks go in and out as they are, by whoever may, and are what their names say."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.engine.content.chunk_object import encode, name_of
from stacksync.errors import (
    ChecksumMismatch,
    ChunkConflict,
    ChunkNotFound,
    Forbidden,
    InvalidRequest,
    WorkspaceNotFound,
)
from tests.db.builders import World
from tests.db.observation import Psql
from tests.engine.conftest import People, Person
from tests.engine.content.builders import MIB, Pieces, all_of, client_name, in_pieces, noise
from tests.engine.two_members import shared_workspace

PLAIN = noise(3 * MIB)


async def encrypt(world: World, who: Person) -> None:
    await world.database.query(
        "encrypt", "UPDATE workspace SET is_encrypted = true WHERE id = %s", [who.user.workspace_id]
    )


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (name_of(PLAIN), encode(PLAIN)),
        (client_name(PLAIN), gzip.compress(PLAIN, 1)),
        ("whatever", b"opaque"),
        ("empty", b""),
    ],
)
@ensureDeferred
async def test_a_chunk_is_kept_and_handed_out_as_it_is(
    engine: Engine, people: People, name: str, body: bytes
) -> None:
    anna = await people.person()
    me, workspace = anna.principal, anna.user.workspace_id
    with pytest.raises(ChunkNotFound):
        await engine.chunks.head(me, workspace, name)
    with pytest.raises(ChunkNotFound):
        await engine.chunks.open(me, workspace, name)
    info, created = await engine.chunks.put(me, workspace, name, in_pieces(body))
    assert (info.name, info.size, created) == (name, len(body), True)
    assert (await engine.chunks.head(me, workspace, name)).size == len(body)
    chunk = await engine.chunks.open(me, workspace, name)
    info, stream = chunk.info, await chunk.read()
    assert (info.size, await all_of(stream)) == (len(body), body)
    stream = await chunk.read(2, 5)
    assert await all_of(stream) == body[2:5]
    info, created = await engine.chunks.put(me, workspace, name, in_pieces(body))
    assert (info.size, created) == (len(body), False)


@pytest.mark.parametrize("name", [name_of(PLAIN), client_name(PLAIN)])
@ensureDeferred
async def test_what_is_not_what_its_name_says_is_refused(
    engine: Engine, people: People, name: str
) -> None:
    anna = await people.person()
    for body in (
        encode(PLAIN[:-1]),
        encode(PLAIN + b"!"),
        encode(PLAIN)[:-1],
        encode(PLAIN) + b"and more of it",
        PLAIN,
        b"",
    ):
        with pytest.raises(ChecksumMismatch, match=f"chunk {name}"):
            await engine.chunks.put(anna.principal, anna.user.workspace_id, name, in_pieces(body))
    with pytest.raises(ChunkNotFound):
        await engine.chunks.head(anna.principal, anna.user.workspace_id, name)


@ensureDeferred
async def test_a_chunk_that_is_known_by_its_name_is_not_sent_again(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    me, workspace = anna.principal, anna.user.workspace_id
    item = await engine.files.create(me, "film", None, in_pieces(PLAIN), length=None)
    body = Pieces([b"not even looked at"])
    info, created = await engine.chunks.put(me, workspace, item.chunks[0], body)
    assert (created, body.reads) == (False, 0)
    stream = await (await engine.chunks.open(me, workspace, item.chunks[0])).read()
    packed = await all_of(stream)
    assert len(packed) == info.size
    assert PLAIN.startswith(gzip.decompress(packed))


@ensureDeferred
async def test_another_chunk_of_the_same_name_is_refused(engine: Engine, people: People) -> None:
    anna = await people.person()
    me, workspace = anna.principal, anna.user.workspace_id
    body = noise(2 * MIB)
    await engine.chunks.put(me, workspace, "c", in_pieces(body))
    for other in (b"", body[:-1], body + b"!", body[:MIB] + b"!" + body[MIB + 1 :]):
        with pytest.raises(ChunkConflict, match="another chunk named c"):
            await engine.chunks.put(me, workspace, "c", in_pieces(other, 100_001))
    assert await engine.chunks.put(me, workspace, "c", in_pieces(body, 99_999))
    stream = await (await engine.chunks.open(me, workspace, "c")).read()
    assert await all_of(stream) == body


@ensureDeferred
async def test_what_devices_encrypt_is_not_looked_into(
    engine: Engine, people: People, world: World
) -> None:
    anna = await people.person()
    await encrypt(world, anna)
    me, workspace = anna.principal, anna.user.workspace_id
    name = client_name(PLAIN)
    _, created = await engine.chunks.put(me, workspace, name, Pieces([b"cipher"]))
    assert created
    with pytest.raises(ChunkConflict):
        await engine.chunks.put(me, workspace, name, Pieces([b"other"]))
    stream = await (await engine.chunks.open(me, workspace, name)).read()
    assert await all_of(stream) == b"cipher"


@ensureDeferred
async def test_asking_for_a_chunk_keeps_it(
    engine: Engine, people: People, psql: Psql, tmp_path: Path
) -> None:
    anna = await people.person()
    me, workspace = anna.principal, anna.user.workspace_id
    await engine.chunks.put(me, workspace, "c", Pieces([b"x"]))
    psql.rows("INSERT INTO doomed_chunk (workspace_id, name) VALUES (%s, 'c')", str(workspace))
    (file,) = [
        path
        for path in (tmp_path / "objects").rglob("*")
        if path.is_file() and path.stat().st_size == 1
    ]
    os.utime(file, (10**9, 10**9))
    stream = await (await engine.chunks.open(me, workspace, "c")).read()
    await stream.close()
    assert file.stat().st_mtime == 10**9
    info = await engine.chunks.head(me, workspace, "c")
    assert info.modified_at.timestamp() > 10**9
    assert (
        psql.value("SELECT count(*) FROM doomed_chunk WHERE workspace_id = %s", str(workspace)) == 0
    )


@ensureDeferred
async def test_chunks_are_the_members_and_written_by_those_who_may(
    engine: Engine, people: People, world: World
) -> None:
    anna, berta = await people.person(), await people.person()
    shown = await shared_workspace(world, anna, berta, "viewer")
    await engine.chunks.put(anna.principal, shown, "c", Pieces([b"x"]))
    me = berta.principal
    assert (await engine.chunks.head(me, shown, "c")).size == 1
    stream = await (await engine.chunks.open(me, shown, "c")).read()
    assert await all_of(stream) == b"x"
    body = Pieces([b"y"])
    with pytest.raises(Forbidden):
        await engine.chunks.put(me, shown, "d", body)
    for workspace in (anna.user.workspace_id, uuid4()):
        with pytest.raises(WorkspaceNotFound):
            await engine.chunks.head(me, workspace, "c")
        with pytest.raises(WorkspaceNotFound):
            await engine.chunks.open(me, workspace, "c")
        with pytest.raises(WorkspaceNotFound):
            await engine.chunks.put(me, workspace, "c", body)
    assert body.reads == 0


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b", "x" * 256, "\ud800"])
@ensureDeferred
async def test_a_name_that_no_chunk_can_have_is_told(
    engine: Engine, people: People, name: str
) -> None:
    anna = await people.person()
    me, workspace = anna.principal, anna.user.workspace_id
    for call in (
        engine.chunks.head(me, workspace, name),
        engine.chunks.open(me, workspace, name),
        engine.chunks.put(me, workspace, name, Pieces([])),
    ):
        with pytest.raises(InvalidRequest, match=r"^name: "):
            await call
