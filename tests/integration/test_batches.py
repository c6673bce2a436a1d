"""A batch is committed item by item: what is wrong with one refuses it and its dependants only."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.clients.answers import Answer, Item
from tests.integration.clients.device import Device
from tests.integration.clients.items import changed, deleted, moved, new_file, new_folder, renamed
from tests.integration.conftest import Devices
from tests.integration.surroundings.people import People

UNKNOWN = 2**62


def names(items: list[Item]) -> set[str]:
    return {item["filename"] for item in items}


def test_a_tree_comes_in_one_batch(device: Device) -> None:
    answer = device.commit(
        new_folder("photos", temp_id=-1),
        new_folder("2026", temp_id=-2, parent_id=-1),
        new_file("cover.jpg", parent_id=-1),
        new_file("beach.jpg", temp_id=7, parent_id=-2, size=2_000_000),
        new_file("readme"),
    )

    photos, year, cover, beach, readme = answer.items
    assert answer.revision == 1
    assert (photos["parent_id"], year["parent_id"]) == (None, photos["id"])
    assert (cover["parent_id"], beach["parent_id"]) == (photos["id"], year["id"])
    assert readme["parent_id"] is None
    assert device.changes(since=0) == [photos, year, cover, beach, readme]


def test_a_temp_id_counts_in_its_own_batch_only(device: Device) -> None:
    device.commit(new_folder("first", temp_id=UNKNOWN))

    answer = device.commit(new_file(parent_id=UNKNOWN))

    assert answer.reasons == ["parent-not-found"]


def test_a_temp_id_goes_before_the_id_of_an_item(device: Device) -> None:
    old = device.commit(new_folder("old")).item

    folder, file = device.commit(
        new_folder("new", temp_id=old["id"]), new_file(parent_id=old["id"])
    ).items

    assert file["parent_id"] == folder["id"] != old["id"]


def test_several_steps_of_one_item_fit_into_a_batch(device: Device) -> None:
    item = device.commit(new_file("draft")).item

    second, third, fourth = device.commit(
        changed(item),
        renamed({**item, "version": 2}, "final"),
        changed({**item, "version": 3}, size=99),
    ).items

    assert [second["version"], third["version"], fourth["version"]] == [2, 3, 4]
    assert (second["filename"], fourth["filename"]) == ("draft", "final")
    assert device.changes(since=0) == [fourth]


BAD_MIDDLES: dict[str, Any] = {
    "a bad name": (lambda known: new_folder("a/b", temp_id=-1), "invalid"),
    "a stale version": (lambda known: {**renamed(known, "x"), "version": 5}, "stale"),
    "an unknown id": (lambda known: {**renamed(known, "x"), "id": UNKNOWN}, "not-found"),
    "a taken name": (lambda known: new_folder("known", temp_id=-1), "name-taken"),
    "an unknown parent": (
        lambda known: new_folder("x", temp_id=-1, parent_id=UNKNOWN),
        "parent-not-found",
    ),
    "a file for a folder": (lambda known: {**renamed(known, "x"), "is_folder": True}, "kind"),
}


@pytest.mark.parametrize("bad", BAD_MIDDLES)
def test_a_bad_item_in_the_middle_leaves_the_rest_alone(bad: str, device: Device) -> None:
    make, reason = BAD_MIDDLES[bad]
    known = device.commit(new_file("known")).item
    middle = make(known)

    answer = device.commit(
        new_folder("before", temp_id=-9),
        middle,
        new_folder("below", temp_id=-2, parent_id=middle.get("temp_id")),
        new_file("deep below", parent_id=-2),
        new_file("after", parent_id=-9),
    )

    depends = "dependency" if "temp_id" in middle else None
    assert answer.reasons == [None, reason, depends, depends, None]
    assert answer.revision == 2
    kept = {"known", "before", "after"}
    assert names(device.changes(since=0)) == (kept if depends else kept | {"below", "deep below"})


def test_the_loser_of_a_name_is_told_who_has_it(device: Device) -> None:
    holder = device.commit(new_file("taken")).item

    (outcome,) = device.commit(new_file("taken")).outcomes

    assert (outcome.committed, outcome.reason, outcome.item) == (False, "name-taken", holder)


def test_the_stale_are_told_the_present_version(device: Device) -> None:
    first = device.commit(new_file()).item
    second = device.commit(changed(first)).item

    (outcome,) = device.commit(changed(first)).outcomes

    assert (outcome.committed, outcome.reason, outcome.item) == (False, "stale", second)


def test_what_is_invalid_is_told_by_its_name_on_the_wire(device: Device) -> None:
    (outcome,) = device.commit(new_file("")).outcomes

    assert (outcome.reason, outcome.problem) == ("invalid", "filename: is empty")
    assert outcome.item is None


def test_a_name_is_free_again_when_its_item_is_deleted_or_moved(device: Device) -> None:
    folder, one = device.commit(new_folder("folder"), new_file("name")).items

    answer = device.commit(deleted(one), new_file("name"))
    _, two = answer.items
    three = device.commit(moved(two, folder["id"]), new_file("name")).items

    assert {item["filename"] for item in three} == {"name"}
    assert device.commit(moved(three[0], None)).reasons == ["name-taken"]


def test_names_differ_by_case_and_by_their_bytes(device: Device) -> None:
    answer = device.commit(new_file("é"), new_file("e\u0301"), new_file("É"))

    assert answer.reasons == [None] * 3


def test_a_folder_cannot_go_into_itself(device: Device) -> None:
    top, middle, bottom = device.commit(
        new_folder("top", temp_id=-1),
        new_folder("middle", temp_id=-2, parent_id=-1),
        new_folder("bottom", parent_id=-2),
    ).items

    for target in (top, middle, bottom):
        assert device.commit(moved(top, target["id"])).reasons == ["cycle"]
    assert device.commit(moved(bottom, top["id"])).reasons == [None]


def test_a_cycle_of_two_moves_in_one_batch_is_refused(device: Device) -> None:
    one, two = device.commit(new_folder("one"), new_folder("two")).items

    answer = device.commit(moved(one, two["id"]), moved(two, one["id"]))

    assert answer.reasons == [None, "cycle"]


def test_nothing_is_put_into_a_file_or_a_deleted_folder(device: Device) -> None:
    file, folder = device.commit(new_file(), new_folder()).items
    device.commit(deleted(folder))

    answer = device.commit(new_file(parent_id=file["id"]), new_file(parent_id=folder["id"]))

    assert answer.reasons == ["parent-not-found"] * 2


def test_a_deleted_item_comes_back_by_its_next_version(device: Device) -> None:
    item = device.commit(new_file("phoenix", size=100)).item
    gone = device.commit(deleted(item)).item
    assert device.account()["quota_used"] == 0

    back = device.commit(changed(gone, size=70)).item

    assert (back["version"], back["filename"], back["status"]) == (3, "phoenix", "CHANGED")
    assert device.account()["quota_used"] == 70


def test_a_batch_of_deletions_may_name_folder_and_content(device: Device) -> None:
    folder, file = device.commit(new_folder(temp_id=-1), new_file(parent_id=-1)).items

    answer = device.commit(deleted(folder), deleted(file))

    assert answer.reasons[:2] == [None, None]
    assert device.changes(since=0) == []
    assert device.account()["quota_used"] == 0


def test_over_quota_an_item_is_refused_and_nothing_charged(
    protocol: str, people: People, devices: Devices
) -> None:
    device = devices.on(protocol, people.add(quota=1000))
    (kept,) = device.commit(new_file(size=400)).items

    answer = device.commit(
        new_folder(temp_id=-1),
        new_file("too much", size=601, parent_id=-1),
        new_file("just fits", size=600, parent_id=-1),
        new_file("a byte", size=1),
        new_file("nothing", size=0),
        changed(kept, size=401),
    )

    assert answer.reasons == [None, "quota", None, "quota", None, "quota"]
    assert answer.quota_used == device.account()["quota_used"] == 1000
    assert device.commit(changed(kept, size=399), new_file(size=1)).reasons == [None, None]
    assert device.account()["quota_used"] == 1000


def test_a_batch_refused_as_a_whole_makes_no_revision(device: Device) -> None:
    answer: Answer = device.commit(new_file(".."), new_file("a", parent_id=UNKNOWN))

    assert answer.reasons == ["invalid", "parent-not-found"]
    assert answer.revision == device.revision == 0
    assert device.account()["quota_used"] == 0


def test_the_owner_is_charged_once_for_an_item_that_grows_and_shrinks(device: Device) -> None:
    item = device.commit(new_file(size=10)).item
    used = []
    for size in (1000, 5, 70):
        answer = device.commit(changed(item, size=size))
        item = answer.item
        used.append(answer.quota_used)

    assert used == [1000, 5, 70]
