"""What is moved into a shared folder, out of it or between two of them, with all that it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from attrs import frozen

from tests.integration.clients.answers import Item, Refused
from tests.integration.clients.device import Device
from tests.integration.clients.file_client import FileClient
from tests.integration.clients.sharing import accept, propose, waiting
from tests.integration.conftest import PROTOCOLS, Devices
from tests.integration.surroundings.ledger import Ledger, until
from tests.integration.surroundings.people import People
from tests.servers.stacksync import KnownUser, StackSyncProcess

UNTOLD = "SELECT FROM job WHERE kind = 'notify' AND finished_at IS NULL"


@frozen
class Pair:
    """Two who share a folder.

    :ivar workspace: its id.
    """

    owner: KnownUser
    guest: KnownUser
    folder: Item
    workspace: str
    owners_files: FileClient
    guests_files: FileClient


@pytest.fixture(scope="module")
def ledger(server: StackSyncProcess) -> Ledger:
    return Ledger(server.database_url)


@pytest.fixture
def pair(
    server: StackSyncProcess, people: People, devices: Devices, ledger: Ledger
) -> Iterator[Pair]:
    owner, guest = people.add(), people.add()
    with (
        closing(FileClient(server.http_url, owner)) as owners,
        closing(FileClient(server.http_url, guest)) as guests,
    ):
        folder = owners.make_folder("Photos")
        propose(devices.phone(owner), folder["id"], guest.email)
        phone = devices.phone(guest)
        (asked,) = waiting(phone)
        workspace = accept(phone, asked.id)
        # Both are told of it by jobs: a device that listens later is not to hear of that.
        until(lambda: not ledger.rows(UNTOLD), "both have been told", 60)
        yield Pair(owner, guest, folder, workspace, owners, guests)


def known_to(device: Device, workspace: str) -> int:
    """The revision that a device knows when it has just looked."""
    return {told.id: told.revision for told in device.workspaces()}[workspace]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_who_stays_hears_of_what_was_taken_out(protocol: str, pair: Pair, devices: Devices) -> None:
    trip = pair.owners_files.make_folder("Trip", pair.folder["id"])
    film = pair.owners_files.upload("film", b"a film", trip["id"])
    device = devices.on(protocol, pair.guest)
    since = known_to(device, pair.workspace)

    pair.owners_files.relocate(trip, parent=0)

    heard = device.next_notification()
    assert (heard.workspace_id, heard.revision) == (pair.workspace, since + 1)
    left = device.changes(since, pair.workspace)
    assert {item["id"]: item["status"] for item in left} == {
        trip["id"]: "DELETED",
        film["id"]: "DELETED",
    }
    if heard.answer is not None:
        assert sorted(heard.answer.items, key=lambda item: int(item["id"])) == left


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_who_is_there_hears_of_what_was_brought(
    protocol: str, pair: Pair, devices: Devices
) -> None:
    trip = pair.guests_files.make_folder("Trip")
    film = pair.guests_files.upload("film", b"a film", trip["id"])
    device = devices.on(protocol, pair.owner)
    since = known_to(device, pair.workspace)

    pair.guests_files.relocate(trip, parent=pair.folder["id"])

    heard = device.next_notification()
    assert (heard.workspace_id, heard.revision) == (pair.workspace, since + 1)
    come = device.changes(since, pair.workspace)
    assert [(item["id"], item["parent_id"]) for item in come] == [
        (trip["id"], pair.folder["id"]),
        (film["id"], trip["id"]),
    ]
    assert pair.owners_files.download(film) == b"a film"


def test_a_file_keeps_its_history_wherever_it_goes(pair: Pair) -> None:
    guest = pair.guests_files
    film = guest.upload("film", b"first")
    guest.overwrite(film, b"second")

    for parent in (pair.folder["id"], 0, pair.folder["id"]):
        guest.relocate(film, parent=parent)
        assert guest.download(film) == b"second"
        assert guest.download(film, version=1) == b"first"

    assert [version["status"] for version in guest.versions(film)] == [
        *("MOVED", "MOVED", "MOVED"),
        *("CHANGED", "NEW"),
    ]
    assert pair.owners_files.download(film, version=1) == b"first"


def test_what_was_taken_out_is_gone_for_the_others(pair: Pair) -> None:
    film = pair.owners_files.upload("film", b"a film", pair.folder["id"])
    assert pair.guests_files.download(film) == b"a film"

    pair.owners_files.relocate(film, parent=0)

    with pytest.raises(Refused) as refused:
        pair.guests_files.download(film)
    assert refused.value.kind == "404"
    assert pair.guests_files.contents(pair.folder) == []


def test_a_folder_that_holds_a_shared_one_does_not_go_into_another(
    pair: Pair, people: People, devices: Devices
) -> None:
    guest = pair.guests_files
    outer = guest.make_folder("outer")
    inner = guest.make_folder("inner", outer["id"])
    third = people.add()
    propose(devices.phone(pair.guest), inner["id"], third.email)
    phone = devices.phone(third)
    (asked,) = waiting(phone)
    accept(phone, asked.id)

    with pytest.raises(Refused) as refused:
        guest.relocate(outer, parent=pair.folder["id"])

    assert refused.value.kind == "409"
    assert "can't stand in another" in refused.value.message
    assert guest.names(outer) == ["inner"]


def test_a_mount_goes_to_the_root_when_the_folder_around_it_is_deleted(pair: Pair) -> None:
    guest = pair.guests_files
    around = guest.make_folder("around")
    guest.relocate(pair.folder, "Shared", around["id"])
    assert guest.names(around) == ["Shared"]
    guest.make_folder("Shared")

    guest.delete(around)
    assert sorted(guest.names()) == ["Shared", "Shared (2)"]

    guest.restore(around)
    assert sorted(guest.names()) == ["Shared", "Shared (2)", "around"]
    assert guest.names(around) == []
    assert pair.owners_files.names() == ["Photos"]


def test_no_item_gets_the_name_of_a_mount_nor_a_mount_that_of_an_item(pair: Pair) -> None:
    guest = pair.guests_files
    own = guest.make_folder("own")

    for deed in (
        lambda: guest.make_folder("Photos"),
        lambda: guest.upload("Photos", b"x"),
        lambda: guest.relocate(own, "Photos"),
        lambda: guest.relocate(pair.folder, "own"),
    ):
        with pytest.raises(Refused) as refused:
            deed()
        assert refused.value.kind == "409"

    assert guest.names() == ["own", "Photos"] or guest.names() == ["Photos", "own"]
