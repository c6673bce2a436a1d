"""What nothing refers to goes from the store, and nothing else does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine.content.chunk_object import encode, name_of
from stacksync.engine.uploads.target import UploadOrder
from stacksync.errors import Conflict
from stacksync.streams import BytesStream
from tests.engine.content.builders import noise
from tests.engine.estate import DAY, HOUR, Estate, estate

__all__ = ["estate"]


@ensureDeferred
async def test_overwriting_and_deleting_remove_nothing_that_a_version_needs(
    estate: Estate,
) -> None:
    anna = await estate.person()
    first = await estate.upload(anna, "a", b"first")
    second = await estate.overwrite(anna, first, b"second")
    await estate.delete(anna, second)
    estate.age(100 * DAY)
    before = estate.chunks(anna)

    assert await estate.collect() is None
    assert estate.chunks(anna) == before
    assert await estate.content(anna, first, 1) == b"first"
    assert await estate.content(anna, first, 2) == b"second"


@ensureDeferred
async def test_what_no_version_refers_to_goes(estate: Estate) -> None:
    anna = await estate.person()
    await estate.upload(anna, "a", b"kept")
    await estate.engine.chunks.put(
        anna.principal, anna.user.workspace_id, name_of(b"x"), BytesStream(encode(b"x"))
    )
    estate.age(2 * HOUR)
    size = estate.paths(anna)[name_of(b"x")].stat().st_size

    collected = await estate.collect()

    assert (collected.swept.chunks, collected.swept.bytes) == (1, size)
    assert collected.workspace.owner_email == anna.user.account.email
    assert estate.chunks(anna) == {name_of(b"kept")}
    assert estate.psql.value("SELECT count(*) FROM doomed_chunk") == 0


@ensureDeferred
async def test_what_is_young_or_was_asked_for_lately_stays(estate: Estate) -> None:
    anna = await estate.person()
    for content in (b"asked for", b"old"):
        await estate.store.create_container(estate.container(anna))
        await estate.store.put(
            estate.container(anna), name_of(content), BytesStream(encode(content))
        )
    estate.age(2 * HOUR)
    await estate.store.put(estate.container(anna), name_of(b"new"), BytesStream(encode(b"new")))
    await estate.engine.chunks.head(anna.principal, anna.user.workspace_id, name_of(b"asked for"))

    await estate.collect()

    assert estate.chunks(anna) == {name_of(b"asked for"), name_of(b"new")}


@ensureDeferred
async def test_after_retention_the_chunks_of_forgotten_versions_go(estate: Estate) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", noise(3_000_000, 1))
    await estate.overwrite(anna, item, noise(3_000_000, 2))
    newest = await estate.overwrite(anna, item, noise(3_000_000, 3))
    assert len(estate.chunks(anna)) > len(newest.chunks)
    estate.age(2 * DAY)

    collected = await estate.collect(keep_versions=1)

    assert collected.forgotten.versions == 2
    assert estate.chunks(anna) == set(newest.chunks)
    assert await estate.content(anna, item) == noise(3_000_000, 3)


@ensureDeferred
async def test_a_dry_run_says_the_same_and_changes_nothing(estate: Estate) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", b"first")
    await estate.overwrite(anna, item, b"second")
    gone = await estate.upload(anna, "b", b"deleted")
    await estate.delete(anna, gone)
    await estate.store.put(estate.container(anna), name_of(b"x"), BytesStream(encode(b"x")))
    estate.age(31 * DAY)
    times = {name: path.stat().st_mtime for name, path in estate.paths(anna).items()}
    rows = everything(estate)

    foreseen = await estate.collect(keep_days=30, dry_run=True)

    assert {name: path.stat().st_mtime for name, path in estate.paths(anna).items()} == times
    assert everything(estate) == rows
    assert (foreseen.forgotten.versions, foreseen.forgotten.items) == (2, 1)
    assert foreseen.swept.chunks == 3
    assert await estate.collect(keep_days=30) == foreseen


def everything(estate: Estate) -> list[object]:
    return [
        estate.psql.rows(f"SELECT * FROM {table} ORDER BY 1, 2")
        for table in ("workspace", "item", "item_version", "doomed_chunk", "upload", "account")
    ]


@ensureDeferred
async def test_what_an_unfinished_upload_has_sent_stays_until_it_expires(estate: Estate) -> None:
    anna = await estate.person()
    upload = await estate.engine.uploads.create(
        anna.principal, UploadOrder(name="big", length=5_000_000)
    )
    await estate.engine.uploads.append(anna.principal, upload.id, 0, BytesStream(noise(3_000_000)))
    estate.psql.rows("UPDATE upload SET expires_at = expires_at + interval '3 days'")
    estate.age(DAY)
    sent = estate.chunks(anna)
    assert sent
    assert await estate.collect() is None
    assert estate.chunks(anna) == sent
    estate.age(4 * DAY)
    collected = await estate.collect()
    assert collected.forgotten.uploads == 1
    assert estate.chunks(anna) == set()


@ensureDeferred
async def test_of_two_collections_at_once_the_second_says_so(estate: Estate) -> None:
    running: list[str] = []

    async def while_running() -> None:
        with pytest.raises(Conflict, match="another stacksync-admin"):
            await estate.collection().run()

    class Meanwhile:
        def __getattr__(self, name: str) -> object:
            return getattr(estate.store, name)

        async def list(self, *arguments: object) -> object:
            running.append("listed")
            await while_running()
            return await estate.store.list(*arguments)

    anna = await estate.person()
    await estate.upload(anna, "a", b"a")
    await estate.collection(store=Meanwhile()).run()
    assert running
    await estate.collection().run()


@ensureDeferred
async def test_a_short_grace_time_is_the_operators_own_risk(estate: Estate) -> None:
    anna = await estate.person()
    await estate.store.create_container(estate.container(anna))
    await estate.store.put(estate.container(anna), "x", BytesStream(b"x"))
    assert await estate.collect() is None
    assert (await estate.collect(grace=timedelta(0))).swept.chunks == 1
