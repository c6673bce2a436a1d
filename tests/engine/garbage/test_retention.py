"""What is kept of the past, and what is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_twisted import ensureDeferred

from stacksync.errors import CursorExpired, ItemNotFound
from stacksync.model import Item, ItemShape
from tests.db.builders import new
from tests.engine.conftest import Person
from tests.engine.estate import DAY, Estate, estate
from tests.engine.folders import shared

__all__ = ["estate"]

SHAPE = ItemShape({"id": "id", "status": "status"})


async def history(estate: Estate, person: Person, item: Item) -> list[int]:
    versions = await estate.engine.versions.of(person.principal, item.id)
    return [version.version for version in versions]


async def with_versions(estate: Estate, person: Person, name: str, count: int) -> Item:
    item = await estate.upload(person, name, b"1")
    for number in range(2, count + 1):
        item = await estate.overwrite(person, item, str(number).encode())
    return item


@ensureDeferred
async def test_by_default_everything_is_kept(estate: Estate) -> None:
    anna = await estate.person()
    item = await with_versions(estate, anna, "a", 3)
    await estate.delete(anna, item)
    estate.age(10_000 * DAY)
    assert await estate.collect() is None
    assert await history(estate, anna, item) == [4, 3, 2, 1]


@ensureDeferred
async def test_so_many_versions_are_kept_the_newest_included(estate: Estate) -> None:
    anna = await estate.person()
    few, many = (
        await with_versions(estate, anna, "few", 2),
        await with_versions(estate, anna, "many", 5),
    )
    estate.age(2 * DAY)
    collected = await estate.collect(keep_versions=3)
    assert collected.forgotten.versions == 2
    assert await history(estate, anna, few) == [2, 1]
    assert await history(estate, anna, many) == [5, 4, 3]


@ensureDeferred
async def test_a_version_is_kept_so_many_days_after_it_was_superseded(estate: Estate) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", b"1")
    estate.age(100 * DAY)
    await estate.overwrite(anna, item, b"2")
    estate.age(20 * DAY)
    await estate.overwrite(anna, item, b"3")
    estate.age(9 * DAY)
    assert await estate.collect(keep_days=30) is None
    estate.age(2 * DAY)
    await estate.collect(keep_days=30)
    assert await history(estate, anna, item) == [3, 2]
    estate.age(1000 * DAY)
    await estate.collect(keep_days=30)
    assert await history(estate, anna, item) == [3]


@ensureDeferred
async def test_either_limit_is_enough(estate: Estate) -> None:
    anna = await estate.person()
    item = await with_versions(estate, anna, "a", 4)
    estate.age(5 * DAY)
    await estate.collect(keep_versions=2, keep_days=30)
    assert await history(estate, anna, item) == [4, 3]


@ensureDeferred
async def test_a_request_can_be_repeated_for_a_day_whatever_is_forgotten(estate: Estate) -> None:
    anna = await estate.person()
    request = anna.request(new("a"))
    first = await estate.engine.commits.commit(anna.principal, request)
    item = first.outcomes[0].item
    await estate.overwrite(anna, item, b"2")
    estate.age(0.9 * DAY)
    assert await estate.collect(keep_versions=1) is None
    again = await estate.engine.commits.commit(anna.principal, request)
    assert again.repeated
    assert again.outcomes[0].item == item
    estate.age(0.2 * DAY)
    assert (await estate.collect(keep_versions=1)).forgotten.versions == 1


@ensureDeferred
async def test_items_that_were_deleted_long_ago_go_for_good(estate: Estate) -> None:
    anna = await estate.person()
    docs = await estate.engine.items.create_folder(anna.principal, "docs", None)
    inner = await estate.engine.items.create_folder(anna.principal, "inner", docs.id)
    lost = await estate.upload(anna, "lost", b"lost", inner)
    kept = await estate.upload(anna, "kept", b"kept", inner)
    before = (await estate.delete(anna, lost)).revision
    estate.age(20 * DAY)
    gone = await estate.delete(anna, docs)
    estate.age(20 * DAY)

    collected = await estate.collect(keep_days=30)

    assert collected.forgotten.items == 1
    assert estate.psql.value("SELECT oldest_revision FROM workspace") == before
    with pytest.raises(ItemNotFound):
        await estate.engine.versions.of(anna.principal, lost.id)
    estate.age(20 * DAY)
    assert (await estate.collect(keep_days=30)).forgotten.items == 3
    assert estate.psql.rows("SELECT id FROM item") == []
    assert estate.psql.rows("SELECT item_id FROM item_version") == []
    assert estate.psql.value("SELECT oldest_revision FROM workspace") == gone.revision
    assert estate.chunks(anna) == set()
    assert kept.id
    await estate.is_sound()


@ensureDeferred
async def test_a_folder_never_goes_before_its_content(estate: Estate) -> None:
    anna = await estate.person()
    docs = await estate.engine.items.create_folder(anna.principal, "docs", None)
    item = await estate.upload(anna, "a", b"a", docs)
    await estate.delete(anna, docs)
    estate.age(40 * DAY)
    # As a clock that was wrong would have it.
    estate.psql.rows(
        "UPDATE item_version SET committed_at = now() WHERE item_id = %s AND version = 2", item.id
    )
    assert (await estate.collect(keep_days=30)).forgotten.items == 0
    estate.psql.rows("UPDATE item_version SET committed_at = now() - interval '40 days'")
    assert (await estate.collect(keep_days=30)).forgotten.items == 2


@ensureDeferred
async def test_a_device_that_would_miss_a_deletion_is_told_to_start_anew(estate: Estate) -> None:
    anna = await estate.person()
    kept = await estate.upload(anna, "kept", b"k")
    gone = await estate.upload(anna, "gone", b"g")
    cursor = gone.revision
    deleted = await estate.delete(anna, gone)
    last = await estate.overwrite(anna, kept, b"new")
    estate.age(40 * DAY)
    await estate.collect(keep_days=30)
    ask = estate.engine.changes.since
    with pytest.raises(CursorExpired) as expired:
        await ask(anna.principal, anna.user.workspace_id, cursor, SHAPE)
    assert expired.value.oldest == deleted.revision
    told = await ask(anna.principal, anna.user.workspace_id, deleted.revision, SHAPE)
    assert (told.count, told.revision) == (1, last.revision)
    assert (await ask(anna.principal, anna.user.workspace_id, None, SHAPE)).count == 1


@ensureDeferred
async def test_a_deleted_item_can_be_restored_whatever_versions_are_forgotten(
    estate: Estate,
) -> None:
    anna = await estate.person()
    item = await with_versions(estate, anna, "a", 3)
    await estate.delete(anna, item)
    estate.age(5 * DAY)
    await estate.collect(keep_versions=1)
    assert await history(estate, anna, item) == [4]
    back = await estate.engine.trash.restore(
        anna.principal, item.id, is_folder=False, name=None, parent_id=None
    )
    assert await estate.content(anna, back) == b"3"
    await estate.is_sound()


@ensureDeferred
async def test_answers_are_forgotten_after_a_month(estate: Estate) -> None:
    anna = await estate.person()
    await anna.commit(new("a"), new("a"))
    estate.age(20 * DAY)
    await estate.collect()
    assert estate.psql.value("SELECT count(*) FROM answered_request") == 1
    estate.age(20 * DAY)
    await estate.collect()
    assert estate.psql.value("SELECT count(*) FROM answered_request") == 0


@ensureDeferred
async def test_commits_of_other_workspaces_and_of_this_one_go_on_meanwhile(
    estate: Estate,
) -> None:
    """Forgetting versions takes no lock that a commit waits for."""
    anna = await estate.person()
    item = await with_versions(estate, anna, "a", 3)
    estate.age(2 * DAY)
    blocker = estate.psql.connect()
    try:
        with blocker.cursor() as cursor:
            cursor.execute("SELECT FROM workspace FOR UPDATE")
            collection = estate.collection(keep_versions=1, repeated=timedelta(hours=1))
            assert await forgets(collection) == 2
    finally:
        blocker.close()
    assert await history(estate, anna, item) == [3]


async def forgets(collection: object) -> int:
    """How many versions a collection forgets before it comes to the chunks."""

    class Enough(Exception):
        pass

    class NoStore:
        async def list(self, *_: object) -> None:
            raise Enough

    collection._store = NoStore()  # type: ignore[attr-defined]
    with pytest.raises(Enough):
        await collection.run()  # type: ignore[attr-defined]
    (collected,) = collection.collected.values()  # type: ignore[attr-defined]
    versions: int = collected.forgotten.versions
    return versions


@ensureDeferred
async def test_what_has_left_for_another_workspace_is_told_as_long_as_deletions_are(
    estate: Estate,
) -> None:
    anna, berta = await estate.person(), await estate.person()
    photos = await estate.engine.items.create_folder(anna.principal, "Photos", None)
    before = photos.revision
    await shared(anna, photos, berta)
    estate.age(20 * DAY)
    await estate.collection(keep_days=30).run()
    told = await estate.engine.changes.since(anna.principal, anna.user.workspace_id, before, SHAPE)
    assert told.items == b'[{"id":%d,"status":"DELETED"}]' % photos.id
    estate.age(20 * DAY)
    await estate.collection(keep_days=30).run()
    with pytest.raises(CursorExpired):
        await estate.engine.changes.since(anna.principal, anna.user.workspace_id, before, SHAPE)
    await estate.is_sound()
