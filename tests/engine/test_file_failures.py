"""Uploads and downloads that go wrong: nothing half-made is ever seen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import CancelledError, Deferred

from stacksync.engine import Engine
from stacksync.errors import (
    DamagedContent,
    DeviceNotFound,
    IncompleteBody,
    InvalidRequest,
    ItemNotFound,
    NameTaken,
    QuotaExceeded,
    TooLarge,
)
from stacksync.storage import DiskStore
from tests.db.builders import World, new
from tests.db.observation import until
from tests.engine.conftest import Listener, People, Person
from tests.engine.content.builders import MIB, Pieces, all_of, in_pieces, noise

CONTENT = noise(5 * MIB)


async def nothing_was_made(engine: Engine, who: Person, listener: Listener) -> None:
    assert listener.events == []
    place = await engine.items.place(who.principal, "file", None, None)
    assert place.workspace.owner.quota_used == 0
    assert place.workspace.latest_revision == 0


@ensureDeferred
async def test_a_body_that_breaks_off_makes_nothing(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person()
    for body in (
        Pieces([CONTENT], breaks_off=True),
        Pieces([CONTENT[:-1]]),
        Pieces([]),
    ):
        with pytest.raises(IncompleteBody):
            await engine.files.create(anna.principal, "file", None, body, length=len(CONTENT))
    with pytest.raises(TooLarge):
        await engine.files.create(anna.principal, "file", None, Pieces([b"ab"]), length=1)
    await nothing_was_made(engine, anna, listener)


@ensureDeferred
async def test_what_the_commit_would_refuse_is_refused_before_the_body_is_read(
    engine: Engine, people: People
) -> None:
    anna, bert = await people.person(), await people.person()
    (foreign,) = await engine.devices.list(bert.principal)
    body = Pieces([CONTENT])
    with pytest.raises(DeviceNotFound):
        await engine.files.create(
            evolve(anna.principal, device_id=foreign.id), "file", None, body, length=len(CONTENT)
        )
    with pytest.raises(InvalidRequest, match="modified_at"):
        await engine.files.create(
            anna.principal,
            "file",
            None,
            body,
            length=len(CONTENT),
            modified_at=datetime.max.replace(tzinfo=UTC),
        )
    assert body.given == 0


@ensureDeferred
async def test_the_quota_ends_a_body_of_unknown_length(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person(quota=10 * MIB)
    body = in_pieces(bytes(200 * MIB), MIB)
    with pytest.raises(QuotaExceeded, match="quota of 10485760 bytes leaves 10485760"):
        await engine.files.create(anna.principal, "file", None, body, length=None)
    assert body.given < 13 * MIB
    await nothing_was_made(engine, anna, listener)
    full = await engine.files.create(
        anna.principal, "file", None, in_pieces(bytes(10 * MIB)), length=None
    )
    # What a file has already counts for its next version.
    newer = await engine.files.replace(anna.principal, full.id, in_pieces(CONTENT), length=None)
    assert newer.size == len(CONTENT)
    with pytest.raises(QuotaExceeded):
        await engine.files.replace(
            anna.principal, full.id, in_pieces(bytes(10 * MIB + 1)), length=None
        )


@ensureDeferred
async def test_a_smaller_version_fits_where_the_quota_is_overdrawn(
    engine: Engine, people: People, world: World
) -> None:
    anna = await people.person(quota=100)
    item = await engine.files.create(anna.principal, "file", None, Pieces([bytes(90)]), length=90)
    await world.accounts.update(anna.user.account.id, None, None, 10)
    newer = await engine.files.replace(anna.principal, item.id, Pieces([bytes(80)]), length=80)
    assert newer.size == 80
    with pytest.raises(QuotaExceeded):
        await engine.files.replace(anna.principal, item.id, Pieces([bytes(81)]), length=81)


@ensureDeferred
async def test_who_is_overtaken_at_the_end_gets_an_error_and_makes_nothing(
    engine: Engine, people: People
) -> None:
    anna = await people.person()

    class Overtaken(Pieces):
        async def read(self) -> bytes:
            if not self.reads:
                await anna.item(new("file"))
            return await super().read()

    with pytest.raises(NameTaken):
        await engine.files.create(anna.principal, "file", None, Overtaken([b"mine"]), length=None)


@ensureDeferred
async def test_an_upload_that_is_given_up_makes_nothing(
    engine: Engine, people: People, listener: Listener
) -> None:
    anna = await people.person()

    class Stalling(Pieces):
        async def read(self) -> bytes:
            return await super().read() or await Deferred()

    body = Stalling([CONTENT])
    making = Deferred.fromCoroutine(
        engine.files.create(anna.principal, "file", None, body, length=10 * MIB)
    )
    await until(lambda: body.reads > 1)
    making.cancel()
    with pytest.raises(CancelledError):
        await making
    await nothing_was_made(engine, anna, listener)


@ensureDeferred
async def test_a_chunk_that_is_gone_is_named_before_the_first_byte(
    engine: Engine, people: People, store: DiskStore
) -> None:
    anna = await people.person()
    item = await engine.files.create(
        anna.principal, "film.avi", None, in_pieces(CONTENT), length=len(CONTENT)
    )
    workspace = await engine.workspaces.get(anna.principal, anna.user.workspace_id)
    await store.delete(workspace.container, item.chunks[0])
    file = await engine.files.open(anna.principal, item.id)
    with pytest.raises(
        DamagedContent, match=f"'film.avi' .*, version 1: chunk 1 of .*{item.chunks[0]}"
    ):
        await file.read(0, item.size)
    last = await file.read(item.size - 1, item.size)
    assert await all_of(last) == CONTENT[-1:]
    # Sent once more, the chunk is there again.
    await engine.files.create(anna.principal, "copy", None, in_pieces(CONTENT), length=None)
    assert await all_of(await file.read(0, item.size)) == CONTENT


@ensureDeferred
async def test_a_file_that_is_nobodys_is_not_told_from_one_that_is_not(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    item = await engine.files.create(anna.principal, "file", None, Pieces([]), length=0)
    for call in (
        engine.files.open(berta.principal, item.id),
        engine.files.restore_version(berta.principal, item.id, 1),
        engine.files.open(berta.principal, 2**62),
    ):
        with pytest.raises(ItemNotFound):
            await call
