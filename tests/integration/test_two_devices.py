"""Two devices of one user, one on AMQP and one on HTTP, keep each other up to date."""

from __future__ import annotations

import pytest

from tests.integration.clients.answers import Item
from tests.integration.clients.device import Device
from tests.integration.clients.items import changed, deleted, moved, new_file, new_folder, renamed
from tests.integration.conftest import PROTOCOLS, Devices
from tests.integration.surroundings.people import People
from tests.servers.stacksync import KnownUser


def other(protocol: str) -> str:
    return "http" if protocol == "amqp" else "amqp"


def by_id(items: list[Item]) -> dict[int, Item]:
    return {item["id"]: item for item in items}


def test_each_hears_of_the_others_commits_in_order(user: KnownUser, devices: Devices) -> None:
    laptop, phone = devices.laptop(user), devices.phone(user)

    made = [device.commit(new_file()) for device in (laptop, phone, phone, laptop) * 5]

    revisions = list(range(1, 21))
    assert [answer.revision for answer in made] == revisions
    for listener in (laptop, phone):
        heard = [listener.next_notification() for _ in made]
        assert [notification.revision for notification in heard] == revisions
        assert [notification.answer for notification in heard] == made
        assert {notification.workspace_id for notification in heard} == {laptop.workspace}


def test_an_item_goes_back_and_forth(user: KnownUser, devices: Devices) -> None:
    laptop, phone = devices.laptop(user), devices.phone(user)

    item = laptop.commit(new_file("list.txt")).item
    for device in (phone, laptop, phone):
        item = device.commit(changed(item)).item

    assert item["version"] == 4
    assert laptop.changes(since=0) == phone.changes(since=0) == [item]


def test_both_see_the_same_account_and_workspaces(user: KnownUser, devices: Devices) -> None:
    laptop, phone = devices.laptop(user), devices.phone(user)
    laptop.commit(new_file(size=1234))

    assert laptop.account() == phone.account()
    assert phone.account() == {"id": str(user.id), "email": user.email, "quota_used": 1234}
    assert laptop.workspaces() == phone.workspaces()
    assert phone.revision == 1


def test_a_commit_called_synchronously_is_answered_and_announced(
    user: KnownUser, devices: Devices
) -> None:
    laptop, phone = devices.laptop(user), devices.phone(user)

    told = laptop.call(
        "commit",
        workspaceId=laptop.workspace,
        deviceId=laptop.id,
        items=[
            {
                "filename": "letter.txt",
                "status": "NEW",
                "version": 1,
                "modifiedAt": 1_795_238_820_123,
            }
        ],
    )

    (info,) = told["items"]
    assert info["commitSucceed"] is True
    assert info["metadata"]["modifiedAt"] == "2026-11-21T05:27:00.123Z"
    assert phone.next_notification().revision == told["revision"] == 1
    assert laptop.next_notification().revision == 1


@pytest.mark.parametrize("away", PROTOCOLS)
def test_a_device_that_was_away_is_told_exactly_what_it_missed(
    away: str, user: KnownUser, devices: Devices
) -> None:
    present, absent = devices.on(other(away), user), devices.on(away, user)
    folder, kept, gone, shrunk = present.commit(
        new_folder("folder"), new_file("kept"), new_file("gone"), new_file("shrunk")
    ).items
    cursor = absent.revision
    assert absent.changes(cursor) == []

    short_lived = present.commit(new_file("short-lived")).item
    present.commit(deleted(short_lived))
    new = present.commit(new_file("new", parent_id=folder["id"])).item
    smaller = present.commit(changed(shrunk, size=1)).item
    present.commit(deleted(gone))
    elsewhere = present.commit(moved(smaller, folder["id"])).item

    missed = by_id(absent.changes(cursor))
    assert set(missed) == {new["id"], elsewhere["id"], gone["id"]}
    assert missed[new["id"]] == new
    assert missed[elsewhere["id"]] == elsewhere
    assert missed[gone["id"]]["status"] == "DELETED"
    assert by_id(absent.changes(since=0)).keys() == {
        *(folder["id"], kept["id"], new["id"], elsewhere["id"])
    }


@pytest.mark.parametrize("away", PROTOCOLS)
def test_what_a_deleted_folder_held_is_told_as_deleted(
    away: str, user: KnownUser, devices: Devices
) -> None:
    present, absent = devices.on(other(away), user), devices.on(away, user)
    top, below, file = present.commit(
        new_folder("top", temp_id=-1),
        new_folder("below", temp_id=-2, parent_id=-1),
        new_file("file", parent_id=-2),
    ).items
    cursor = absent.revision
    unseen = present.commit(new_file("unseen", parent_id=below["id"])).item

    removal = present.commit(deleted(top))

    missed = absent.changes(cursor)
    assert {item["id"] for item in missed} == {top["id"], below["id"], file["id"]}
    assert {item["status"] for item in missed} == {"DELETED"}
    assert {item["id"] for item in removal.items} == {
        *(top["id"], below["id"], file["id"], unseen["id"])
    }
    assert absent.account()["quota_used"] == 0


@pytest.mark.parametrize("away", PROTOCOLS)
def test_catching_up_after_each_commit_ends_where_everybody_is(
    away: str, user: KnownUser, devices: Devices
) -> None:
    """A device that only ever asks for changes has the same tree as one that asks for all."""
    present, absent = devices.on(other(away), user), devices.on(away, user)
    tree: dict[int, Item] = {}
    cursor = 0

    def catch_up() -> None:
        nonlocal cursor
        latest = absent.revision
        for item in absent.changes(cursor):
            if item["status"] == "DELETED":
                del tree[item["id"]]  # only what it has can be told as deleted
            else:
                tree[item["id"]] = item
        cursor = latest

    folder = present.commit(new_folder()).item
    catch_up()
    for round_number in range(6):
        one, two = present.commit(new_file(), new_file(parent_id=folder["id"])).items
        if round_number % 2:
            catch_up()
        present.commit(renamed(one, f"one {round_number}"), deleted(two))
        if round_number % 3:
            catch_up()
    catch_up()

    assert tree == by_id(absent.changes(since=0)) == by_id(present.changes(since=0))
    assert len(tree) == 7


def test_an_old_client_is_told_all_items_deleted_ones_included(
    user: KnownUser, devices: Devices
) -> None:
    laptop = devices.laptop(user)
    folder, file = laptop.commit(new_folder(temp_id=1), new_file("a", parent_id=1)).items
    laptop.commit(deleted(file))

    told = laptop.changes(since=None)

    assert [(item["id"], item["status"]) for item in told] == [
        (folder["id"], "NEW"),
        (file["id"], "DELETED"),
    ]


def test_parents_are_told_before_their_children(
    device: Device,
) -> None:
    child, parent = device.commit(new_folder("child"), new_folder("parent")).items
    file = device.commit(new_file(parent_id=child["id"])).item
    device.commit(moved(child, parent["id"]))

    told = [item["id"] for item in device.changes(since=0)]

    assert told == [parent["id"], child["id"], file["id"]]


def test_devices_of_another_user_hear_nothing(
    user: KnownUser, people: People, devices: Devices
) -> None:
    stranger = people.add()
    all_four = [devices.on(protocol, who) for protocol in PROTOCOLS for who in (user, stranger)]

    for device in all_four * 2:
        device.commit(new_file())

    # Of what the stranger did, all but the last commit would have come in between.
    for device in all_four:
        heard = [device.next_notification() for _ in range(4)]
        assert {notification.workspace_id for notification in heard} == {device.workspace}
        assert [notification.revision for notification in heard] == [1, 2, 3, 4]


def test_a_renamed_workspace_is_told_to_the_users_devices(
    protocol: str, user: KnownUser, devices: Devices
) -> None:
    laptop, phone = devices.laptop(user), devices.phone(user)
    device: Device = laptop if protocol == "amqp" else phone

    device.update_workspace(device.workspace, "Büro 💼")

    update = laptop.next_update()
    assert (update.workspace_id, update.name) == (device.workspace, "Büro 💼")
    assert phone.next_update() == update
    assert [told.name for told in laptop.workspaces()] == ["Büro 💼"]
