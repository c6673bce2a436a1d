"""First processed wins: of two devices that want the same thing one gets it, the other is told.

The devices speak any two of the protocols, through two servers on one
database and one broker.
"""

from __future__ import annotations

from functools import partial

import pytest

from tests.integration.clients.answers import Answer, Item
from tests.integration.clients.device import Device
from tests.integration.clients.items import changed, deleted, moved, new_file, new_folder, renamed
from tests.integration.conftest import Devices
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.people import People
from tests.integration.surroundings.threads import at_once
from tests.servers.stacksync import KnownUser, StackSyncProcess

RACES = 50
AT_MOST = 400
"""Races after which each of two should have won one."""

PAIRS = [("amqp", "http"), ("amqp", "amqp"), ("http", "http")]

Rivals = tuple[Device, Device]


@pytest.fixture(scope="module")
def second_server(module_fleet: Fleet, server: StackSyncProcess) -> StackSyncProcess:
    """Another one on the same database and broker."""
    return module_fleet.start(server.database_url, server.amqp_url)


@pytest.fixture(params=PAIRS, ids="-".join)
def rivals(
    request: pytest.FixtureRequest,
    user: KnownUser,
    devices: Devices,
    second_server: StackSyncProcess,
) -> Rivals:
    """Two devices of one user on two servers."""
    one, other = request.param
    return devices.on(one, user), devices.on(other, user, at=second_server)


def race(rivals: Rivals, wish: Item, other_wish: Item) -> list[Answer]:
    """Each commits its wish, at the same moment; their answers."""
    one, other = rivals
    return at_once(partial(one.commit, wish), partial(other.commit, other_wish))


def test_of_two_new_versions_one_wins_and_the_loser_gets_it(rivals: Rivals) -> None:
    items = rivals[0].commit(*(new_file() for _ in range(AT_MOST))).items
    winners: list[Device] = []

    for item in items:
        outcomes = [answer.outcomes[0] for answer in race(rivals, changed(item), changed(item))]
        won, lost = sorted(outcomes, key=lambda outcome: not outcome.committed)
        assert (won.committed, lost.committed, lost.reason) == (True, False, "stale")
        assert lost.item == won.item
        assert won.item is not None
        assert won.item["version"] == 2
        winners.append(rivals[outcomes.index(won)])
        if len(winners) >= RACES and set(winners) == set(rivals):
            break

    versions = {item["id"]: item["version"] for item in rivals[0].changes(since=0)}
    raced = len(winners)
    assert [versions[item["id"]] for item in items] == [2] * raced + [1] * (AT_MOST - raced)
    assert rivals[0].revision == 1 + raced
    assert set(winners) == set(rivals), "one of them always wins: that is no race"


def test_of_two_new_items_of_one_name_one_wins_and_the_loser_gets_it(rivals: Rivals) -> None:
    names = [f"same {number}" for number in range(RACES)]

    for name in names:
        one, other = (answer.outcomes[0] for answer in race(rivals, new_file(name), new_file(name)))
        assert {one.reason, other.reason} == {None, "name-taken"}
        assert one.item == other.item is not None

    assert sorted(item["filename"] for item in rivals[1].changes(since=0)) == sorted(names)
    assert rivals[0].account()["quota_used"] == 10 * RACES


def test_of_two_renames_to_one_name_one_wins(rivals: Rivals) -> None:
    for number in range(20):
        mine, theirs = rivals[0].commit(new_file(), new_file()).items
        name = f"best name {number}"
        answers = race(rivals, renamed(mine, name), renamed(theirs, name))
        assert {answer.reasons[0] for answer in answers} == {None, "name-taken"}


def test_two_folders_do_not_end_up_in_each_other(rivals: Rivals) -> None:
    for _ in range(20):
        one, two = rivals[0].commit(new_folder(), new_folder()).items
        answers = race(rivals, moved(one, two["id"]), moved(two, one["id"]))
        assert {answer.reasons[0] for answer in answers} == {None, "cycle"}


def test_a_file_is_not_lost_in_a_folder_that_goes(rivals: Rivals) -> None:
    """Either the file came first and was deleted with the folder, or it is refused."""
    for _ in range(20):
        folder = rivals[0].commit(new_folder()).item
        removal, creation = race(rivals, deleted(folder), new_file(parent_id=folder["id"]))
        went = [item["id"] for item in removal.items]
        if creation.reasons == [None]:
            assert went == [folder["id"], creation.item["id"]]
        else:
            assert creation.reasons == ["parent-not-found"]
            assert went == [folder["id"]]

    assert rivals[0].changes(since=0) == []
    assert rivals[0].account()["quota_used"] == 0


def test_what_is_left_of_a_quota_is_given_once(
    people: People, devices: Devices, second_server: StackSyncProcess
) -> None:
    user = people.add(quota=1000)
    rivals = devices.laptop(user), devices.phone(user, at=second_server)

    for _ in range(20):
        (left,) = rivals[0].commit(new_file(size=300)).items
        answers = race(rivals, new_file(size=500), new_file(size=500))
        assert {answer.reasons[0] for answer in answers} == {None, "quota"}
        assert rivals[0].account()["quota_used"] == 800
        winner = next(answer.item for answer in answers if answer.reasons == [None])
        rivals[1].commit(deleted(winner), deleted(left))
        assert rivals[1].account()["quota_used"] == 0


def test_many_devices_count_up_together_without_losing_a_step(
    user: KnownUser, devices: Devices, second_server: StackSyncProcess
) -> None:
    crowd = [
        devices.on(protocol, user, at)
        for protocol in ("amqp", "http", "amqp", "http")
        for at in (None, second_server)
    ]
    start = crowd[0].commit(new_file(size=0)).item

    def count_up(device: Device) -> None:
        item, steps = start, 0
        while steps < 10:
            (outcome,) = device.commit(changed(item, size=item["size"] + 1)).outcomes
            assert outcome.item is not None
            item = outcome.item
            steps += outcome.committed

    at_once(*(partial(count_up, device) for device in crowd))

    (end,) = crowd[0].changes(since=0)
    assert (end["size"], end["version"]) == (80, 81)
    assert crowd[0].revision == 81
