"""Items that nobody can reach are found, and come back in the root under a free name."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from stacksync.engine.check.recovery import marked
from stacksync.engine.check.tree import cycles
from stacksync.engine.validation import name_problem
from stacksync.model import Item
from tests.engine.conftest import Person
from tests.engine.estate import Estate, estate

__all__ = ["estate"]


async def folder(estate: Estate, person: Person, name: str, parent: Item | None = None) -> Item:
    return await estate.engine.items.create_folder(
        person.principal, name, parent.id if parent is not None else None
    )


async def repaired(estate: Estate, kind: str) -> list[str]:
    """What a repair said; it found the same as a check before it, and a check after it nothing."""
    found = await estate.check()
    assert {each.kind for each in found} == {kind}
    assert not any(each.repaired or each.outcome for each in found)
    done = await estate.check(repair=True)
    assert [each.message for each in done] == [each.message for each in found]
    assert all(each.repaired for each in done)
    await estate.is_sound()
    return [f"{each.message} - {each.outcome}" for each in done]


async def state(estate: Estate, person: Person, item: Item) -> Item:
    return await estate.engine.items.get(person.principal, item.id, is_folder=item.is_folder)


@ensureDeferred
async def test_an_item_whose_folder_is_gone_comes_to_the_root_as_a_new_version(
    estate: Estate,
) -> None:
    anna = await estate.person()
    docs = await folder(estate, anna, "docs")
    letter = await estate.upload(anna, "letter.txt", b"Dear", docs)
    estate.psql.rows("UPDATE item SET parent_id = 999999 WHERE id = %s", letter.id)
    estate.psql.rows("UPDATE item_version SET parent_id = 999999 WHERE item_id = %s", letter.id)

    (told,) = await repaired(estate, "misplaced")

    assert told == (
        "/letter.txt: the folder that it is in is not there"
        " - moved to the root as letter (recovered).txt"
    )
    found = await state(estate, anna, letter)
    assert (found.name, found.parent_id, found.version) == ("letter (recovered).txt", None, 2)
    assert found.revision > letter.revision
    assert await estate.content(anna, letter) == b"Dear"


@ensureDeferred
async def test_a_live_folder_below_a_deleted_one_comes_back_with_its_content(
    estate: Estate,
) -> None:
    anna = await estate.person()
    docs = await folder(estate, anna, "docs")
    inner = await folder(estate, anna, "inner", docs)
    await estate.upload(anna, "a", b"a", inner)
    other = await folder(estate, anna, "inner (recovered)")
    estate.psql.rows("UPDATE item SET status = 'DELETED' WHERE id = %s", docs.id)
    estate.psql.rows("UPDATE item_version SET status = 'DELETED' WHERE item_id = %s", docs.id)

    (told,) = await repaired(estate, "misplaced")

    assert told == (
        "/docs/inner: the folder that it is in is deleted"
        " - moved to the root as inner (recovered 2)"
    )
    assert (await state(estate, anna, other)).version == 1


@ensureDeferred
async def test_a_folder_that_is_a_file_or_somebody_elses_is_none(estate: Estate) -> None:
    anna, bert = await estate.person(), await estate.person()
    file = await estate.upload(anna, "file", b"f")
    hers = await estate.upload(anna, "hers", b"h")
    foreign = await folder(estate, bert, "his")
    his = await folder(estate, anna, "lost")
    for item, parent in ((hers, file), (his, foreign)):
        for table, key in (("item", "id"), ("item_version", "item_id")):
            estate.psql.rows(
                f"UPDATE {table} SET parent_id = %s WHERE {key} = %s", parent.id, item.id
            )

    told = await repaired(estate, "misplaced")

    assert told == [
        "/file/hers: the folder that it is in is no folder - moved to the root as hers (recovered)",
        "/his/lost: the folder that it is in is in another workspace"
        " - moved to the root as lost (recovered)",
    ]


@ensureDeferred
async def test_a_cycle_is_cut_at_one_place(estate: Estate) -> None:
    anna = await estate.person()
    first = await folder(estate, anna, "first")
    second = await folder(estate, anna, "second", first)
    third = await folder(estate, anna, "third", second)
    inside = await estate.upload(anna, "inside", b"i", third)
    alone = await folder(estate, anna, "alone")
    for item, parent in ((first, third), (alone, alone)):
        for table, key in (("item", "id"), ("item_version", "item_id")):
            estate.psql.rows(
                f"UPDATE {table} SET parent_id = %s WHERE {key} = %s", parent.id, item.id
            )

    told = await repaired(estate, "cycle")

    assert told == [
        "/second/third/first: it is in itself, by way of 3 folders"
        " - moved to the root as first (recovered)",
        "/alone: it is in itself - moved to the root as alone (recovered)",
    ]
    assert (await state(estate, anna, inside)).parent_id == third.id
    assert (await state(estate, anna, third)).version == 1


@ensureDeferred
async def test_of_two_items_of_one_name_the_younger_is_renamed(estate: Estate) -> None:
    anna = await estate.person()
    docs = await folder(estate, anna, "docs")
    first = await estate.upload(anna, "a.txt", b"1", docs)
    second = await estate.upload(anna, "b.txt", b"2", docs)
    estate.psql.rows("DROP INDEX item_live_name")
    for table, key in (("item", "id"), ("item_version", "item_id")):
        estate.psql.rows(f"UPDATE {table} SET name = 'a.txt' WHERE {key} = %s", second.id)

    (told,) = await repaired(estate, "same-name")

    assert told == (
        "/docs/a.txt: another item in the folder has this name - renamed to a (recovered).txt"
    )
    assert (await state(estate, anna, first)).version == 1
    assert (await state(estate, anna, second)).parent_id == docs.id


@ensureDeferred
async def test_where_the_owner_cannot_commit_it_is_said_that_nothing_was_done(
    estate: Estate,
) -> None:
    anna = await estate.person()
    item = await estate.upload(anna, "a", b"a")
    for table, key in (("item", "id"), ("item_version", "item_id")):
        estate.psql.rows(f"UPDATE {table} SET parent_id = 99999 WHERE {key} = %s", item.id)
    estate.psql.rows("DELETE FROM membership")
    check = estate.new_check(repair=True)

    await check.run()

    (finding,) = check.findings.kept
    assert not finding.repaired
    assert finding.outcome == (
        "could not be moved to the root: the owner cannot commit to the workspace (workspace)"
    )
    assert check.findings.remaining == 1


def test_cycles_are_found_and_what_is_below_them_is_not_one() -> None:
    assert list(cycles({1: 2, 2: 3, 3: 1, 4: 1, 5: 4, 7: 7, 9: 8, 8: 9})) == [
        [1, 2, 3],
        [7],
        [8, 9],
    ]
    assert list(cycles({})) == []


def test_a_mark_keeps_extensions_and_never_makes_a_name_too_long() -> None:
    assert marked("a.tar.gz", " (x)", False) == "a.tar (x).gz"
    assert marked("v1.5", " (x)", True) == "v1.5 (x)"
    assert marked(".profile", " (x)", False) == ".profile (x)"
    for name in ("ä" * 127, "n" * 255, "x" * 200 + "." + "y" * 54, "ü" * 125 + ".txt"):
        assert name_problem(marked(name, " (recovered)", False)) is None
        assert marked(name, " (recovered)", False) != name
