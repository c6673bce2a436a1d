"""Items and their history fit together, or are made to."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from tests.engine.check.test_tree import folder, repaired, state
from tests.engine.estate import Estate, estate

__all__ = ["estate"]


@ensureDeferred
async def test_an_item_that_is_not_its_newest_version_is_restored_from_it(estate: Estate) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", b"content")
    estate.psql.rows("UPDATE item SET checksum = 0, name = 'b' WHERE id = %s", item.id)

    (told,) = await repaired(estate, "not-newest-version")

    assert told == ("/b: it is not what its newest version, 1, says - restored from version 1")
    found = await state(estate, anna, item)
    assert (found.name, found.checksum, found.version) == ("a", item.checksum, 2)
    assert await estate.content(anna, item) == b"content"


@ensureDeferred
async def test_an_item_that_missed_a_version_gets_it(estate: Estate) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", b"first")
    estate.psql.rows("CREATE TABLE copy AS SELECT * FROM item")
    await estate.overwrite(anna, item, b"second")
    estate.psql.rows("DELETE FROM item; INSERT INTO item SELECT * FROM copy; DROP TABLE copy")
    estate.psql.rows("UPDATE account SET quota_used = 5")

    await repaired_both(estate)

    assert await estate.content(anna, item) == b"second"


async def repaired_both(estate: Estate) -> None:
    """The quota goes wrong with the item, and is counted when the item is right again."""
    assert [each.kind for each in await estate.check()] == ["not-newest-version"]
    done = await estate.check(repair=True)
    assert [(each.kind, each.repaired) for each in done] == [
        ("not-newest-version", True),
        ("quota", True),
    ]
    await estate.is_sound()


@ensureDeferred
async def test_an_item_whose_name_is_taken_meanwhile_gets_another(estate: Estate) -> None:
    anna = await estate.person()
    docs = await folder(estate, anna, "docs")
    item = await estate.upload(anna, "a", b"1", docs)
    estate.psql.rows("UPDATE item SET name = 'b' WHERE id = %s", item.id)
    other = await estate.upload(anna, "a", b"2", docs)

    (told,) = await repaired(estate, "not-newest-version")

    assert told.endswith("restored from version 1 as a (recovered)")
    assert (await state(estate, anna, other)).name == "a"
    assert (await state(estate, anna, item)).name == "a (recovered)"


@ensureDeferred
async def test_a_deleted_item_is_restored_to_what_its_deletion_says(estate: Estate) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", b"1")
    await estate.delete(anna, item)
    estate.psql.rows("UPDATE item SET chunks = '{}' WHERE id = %s", item.id)

    (told,) = await repaired(estate, "not-newest-version")

    assert told.endswith("restored from that version")
    assert (await state(estate, anna, item)).chunks == item.chunks


@ensureDeferred
async def test_a_newest_version_that_is_missing_is_written_anew(estate: Estate) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", b"1")
    await estate.overwrite(anna, item, b"2")
    estate.psql.rows("DELETE FROM item_version WHERE item_id = %s AND version = 2", item.id)
    only = await estate.upload(anna, "b", b"3")
    estate.psql.rows("DELETE FROM item_version WHERE item_id = %s", only.id)

    told = await repaired(estate, "missing-version")

    assert told == [
        "/a: its newest version, 2, is not in its history - written into it",
        "/b: its newest version, 1, is not in its history - written into it",
    ]
    assert await estate.content(anna, item, 2) == b"2"
    assert await estate.content(anna, item, 1) == b"1"


@ensureDeferred
async def test_an_item_that_is_missing_comes_back_from_its_versions(estate: Estate) -> None:
    anna = await estate.person()
    docs = await folder(estate, anna, "docs")
    item = await estate.upload(anna, "a", b"1", docs)
    estate.psql.rows("DELETE FROM item WHERE id = %s", item.id)
    estate.psql.rows("UPDATE account SET quota_used = 0")
    assert [each.kind for each in await estate.check()] == ["missing-item"]

    done = await estate.check(repair=True)

    assert [(each.kind, each.repaired) for each in done] == [
        ("missing-item", True),
        ("quota", True),
    ]
    await estate.is_sound()
    assert (await state(estate, anna, item)).parent_id == docs.id
    assert await estate.content(anna, item) == b"1"


@ensureDeferred
async def test_a_folder_that_is_missing_comes_back_before_its_content_is_moved(
    estate: Estate,
) -> None:
    anna = await estate.person()
    docs = await folder(estate, anna, "docs")
    item = await estate.upload(anna, "a", b"1", docs)
    estate.psql.rows("DELETE FROM item WHERE id = %s", docs.id)
    assert {each.kind for each in await estate.check()} == {"missing-item", "misplaced"}

    done = await estate.check(repair=True)

    assert [each.kind for each in done] == ["missing-item"]
    await estate.is_sound()
    assert (await state(estate, anna, item)).parent_id == docs.id


@ensureDeferred
async def test_a_workspace_that_is_behind_its_items_is_moved_on(estate: Estate) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", b"1")
    estate.psql.rows("UPDATE item SET revision = 50 WHERE id = %s", item.id)
    estate.psql.rows("UPDATE item_version SET revision = 50 WHERE item_id = %s", item.id)

    (told,) = await repaired(estate, "revision-ahead")

    assert told == (
        "an item is at revision 50, but the workspace only at 1 - the workspace is at 50 now"
    )
    assert (await estate.upload(anna, "b", b"2")).revision == 51


@ensureDeferred
async def test_a_quota_that_is_counted_wrong_is_counted_anew(estate: Estate) -> None:
    anna = await estate.person()
    await estate.upload(anna, "a", b"12345")
    gone = await estate.upload(anna, "b", b"67")
    await estate.delete(anna, gone)
    estate.psql.rows("UPDATE account SET quota_used = 99")

    (told,) = await repaired(estate, "quota")

    assert told == "99 bytes are counted as used, but the files take 5 - counted anew"
    assert estate.psql.value("SELECT quota_used FROM account") == 5
