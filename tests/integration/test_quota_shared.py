"""What is in a shared folder counts for its owner, whoever brought it, up to the quota."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from attrs import frozen

from tests.integration.clients.answers import Item, Refused
from tests.integration.clients.device import Device
from tests.integration.clients.file_client import FileClient
from tests.integration.clients.items import new_file
from tests.integration.clients.sharing import accept, propose, waiting
from tests.integration.conftest import Devices
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.people import People
from tests.integration.surroundings.threads import at_once
from tests.servers.run import TestRun
from tests.servers.stacksync import KnownUser, StackSyncProcess

SIZE = 1000
ROOM = 7
"""How many files of that size the owner's quota has room for."""

AT_ONCE = 20


@pytest.fixture(scope="module")
def objects(test_run: TestRun) -> Path:
    """The directory of the store that both servers use."""
    return test_run.new_directory("objects")


@pytest.fixture(scope="module")
def server(
    module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str, objects: Path
) -> StackSyncProcess:
    storage = {"directory": str(objects)}
    return module_fleet.start(module_database_dsn, module_amqp_url, storage=storage)


@pytest.fixture(scope="module")
def other_server(
    module_fleet: Fleet, server: StackSyncProcess, module_amqp_url: str, objects: Path
) -> StackSyncProcess:
    """A second instance."""
    storage = {"directory": str(objects)}
    return module_fleet.start(server.database_url, module_amqp_url, storage=storage)


@frozen
class Folder:
    """A folder that its owner shares with two guests.

    :ivar workspace: its id.
    """

    item: Item
    workspace: str
    owner: FileClient
    guests: tuple[KnownUser, KnownUser]

    def used(self) -> int:
        """What its owner uses of the quota."""
        return self.owner.quota_used()


MakeFolder = Callable[..., Folder]


@pytest.fixture
def shared_folder(
    server: StackSyncProcess, people: People, devices: Devices
) -> Iterator[MakeFolder]:
    """Makes shared folders, each of an owner with a quota of so many bytes."""
    with ExitStack() as clients:

        def make(quota: int = ROOM * SIZE, role: str = "editor") -> Folder:
            user, *guests = people.add(quota), people.add(), people.add()
            owner = clients.enter_context(closing(FileClient(server.http_url, user)))
            folder = owner.make_folder("Photos")
            emails = [guest.email for guest in guests]
            propose(devices.phone(user), folder["id"], *emails, role=role)
            for guest in guests:
                phone = devices.phone(guest)
                (asked,) = waiting(phone)
                workspace = accept(phone, asked.id)
            return Folder(folder, workspace, owner, (guests[0], guests[1]))

        yield make


@pytest.fixture
def client_of(server: StackSyncProcess) -> Iterator[Callable[..., FileClient]]:
    """Makes clients of users."""
    with ExitStack() as clients:
        yield lambda user, at=server: clients.enter_context(closing(FileClient(at.http_url, user)))


def test_uploads_of_all_guests_at_once_fill_the_owners_quota_and_no_more(
    shared_folder: MakeFolder,
    client_of: Callable[..., FileClient],
    server: StackSyncProcess,
    other_server: StackSyncProcess,
) -> None:
    folder = shared_folder()
    clients = [
        client_of(folder.guests[number % 2], (server, other_server)[number // 2 % 2])
        for number in range(AT_ONCE)
    ]

    def upload(number: int) -> int:
        query = {"name": f"file {number}", "parent": folder.item["id"]}
        return clients[number].send("POST", "/file", params=query, data=bytes(SIZE)).status_code

    codes = at_once(*((lambda number=number: upload(number)) for number in range(AT_ONCE)))

    assert sorted(codes) == [201] * ROOM + [413] * (AT_ONCE - ROOM)
    assert folder.used() == ROOM * SIZE
    assert len(folder.owner.contents(folder.item)) == ROOM
    assert [client_of(guest).quota_used() for guest in folder.guests] == [0, 0]


def test_commits_of_all_guests_at_once_fill_the_owners_quota_and_no_more(
    shared_folder: MakeFolder,
    devices: Devices,
    server: StackSyncProcess,
    other_server: StackSyncProcess,
) -> None:
    folder = shared_folder()
    busy = [
        devices.on(("amqp", "http")[number % 2], guest, at)
        for number in range(AT_ONCE // 4)
        for guest in folder.guests
        for at in (server, other_server)
    ]

    def commit(device: Device) -> str | None:
        (reason,) = device.commit(new_file(size=SIZE), workspace_id=folder.workspace).reasons
        return reason

    reasons = at_once(*((lambda device=device: commit(device)) for device in busy))

    assert len(reasons) == AT_ONCE
    assert reasons.count(None) == ROOM
    assert reasons.count("quota") == AT_ONCE - ROOM
    assert folder.used() == ROOM * SIZE


def test_the_use_goes_along_with_what_is_moved_between_owners(
    shared_folder: MakeFolder, client_of: Callable[..., FileClient]
) -> None:
    folder = shared_folder()
    guest = client_of(folder.guests[0])
    folder.owner.upload("first", bytes(SIZE), folder.item["id"])
    trip = guest.make_folder("Trip")
    films = [guest.upload(f"film {number}", bytes(SIZE), trip["id"]) for number in range(3)]
    guest.delete(films[2])
    assert (guest.quota_used(), folder.used()) == (2 * SIZE, SIZE)

    guest.relocate(trip, parent=folder.item["id"])
    assert (guest.quota_used(), folder.used()) == (0, 3 * SIZE)

    guest.restore(films[2])
    assert (guest.quota_used(), folder.used()) == (0, 4 * SIZE)

    guest.relocate(trip, parent=0)
    assert (guest.quota_used(), folder.used()) == (3 * SIZE, SIZE)


def test_what_the_owner_has_no_room_for_stays_where_it_is(
    shared_folder: MakeFolder, client_of: Callable[..., FileClient]
) -> None:
    folder = shared_folder()
    guest = client_of(folder.guests[0])
    large = guest.upload("large", bytes(ROOM * SIZE + 1))

    with pytest.raises(Refused) as refused:
        guest.relocate(large, parent=folder.item["id"])

    assert refused.value.kind == "413"
    assert guest.metadata(large) == large | {"status": "NEW"}
    assert (guest.quota_used(), folder.used()) == (ROOM * SIZE + 1, 0)
    assert folder.owner.contents(folder.item) == []


def test_moves_of_all_guests_at_once_fill_the_owners_quota_and_no_more(
    shared_folder: MakeFolder,
    client_of: Callable[..., FileClient],
    server: StackSyncProcess,
    other_server: StackSyncProcess,
) -> None:
    folder = shared_folder()
    movers = [
        (client_of(guest, (server, other_server)[number % 2]), f"film {number}")
        for number in range(6)
        for guest in folder.guests
    ]
    films = [(client, client.upload(name, bytes(SIZE))) for client, name in movers]

    def move(client: FileClient, film: Item, name: str) -> int:
        body = {"parent": folder.item["id"], "name": name}
        return client.send("PUT", f"/file/{film['id']}", json=body).status_code

    codes = at_once(
        *(
            (lambda client=client, film=film, place=place: move(client, film, f"film {place}"))
            for place, (client, film) in enumerate(films)
        )
    )

    assert sorted(codes) == [200] * ROOM + [413] * (len(films) - ROOM)
    assert folder.used() == ROOM * SIZE
    left = sum(client_of(guest).quota_used() for guest in folder.guests)
    assert left == (len(films) - ROOM) * SIZE


def test_sharing_and_unsharing_leave_the_use_as_it_is(
    shared_folder: MakeFolder, client_of: Callable[..., FileClient]
) -> None:
    folder = shared_folder()
    first, second = folder.guests
    client_of(first).upload("a film", bytes(SIZE), folder.item["id"])
    before = folder.used()

    folder.owner.ask("POST", f"/folder/{folder.item['id']}/unshare", json=[first.email])
    assert folder.used() == before == SIZE
    client_of(second).ask("POST", f"/folder/{folder.item['id']}/leave")

    assert folder.used() == before
    assert [client_of(guest).quota_used() for guest in folder.guests] == [0, 0]
    assert folder.owner.names(folder.item) == ["a film"]


@pytest.mark.parametrize("protocol", ["amqp", "http"])
def test_a_viewer_cannot_commit(protocol: str, shared_folder: MakeFolder, devices: Devices) -> None:
    folder = shared_folder(role="viewer")
    device = devices.on(protocol, folder.guests[0])

    with pytest.raises(Refused) as refused:
        device.commit(new_file(size=SIZE), workspace_id=folder.workspace)

    kind = "403" if protocol == "http" else "IllegalArgumentException"
    assert refused.value.kind == kind
    assert folder.used() == 0
    assert folder.owner.contents(folder.item) == []


def test_a_viewer_cannot_bring_or_take_files(
    shared_folder: MakeFolder, client_of: Callable[..., FileClient]
) -> None:
    folder = shared_folder(role="viewer")
    there = folder.owner.upload("there", bytes(SIZE), folder.item["id"])
    viewer = client_of(folder.guests[0])
    own = viewer.upload("own", bytes(SIZE))

    deeds: list[Callable[[], object]] = [
        lambda: viewer.upload("new", bytes(SIZE), folder.item["id"]),
        lambda: viewer.make_folder("new", folder.item["id"]),
        lambda: viewer.overwrite(there, b"mine"),
        lambda: viewer.relocate(there, "mine"),
        lambda: viewer.relocate(there, parent=0),
        lambda: viewer.relocate(own, parent=folder.item["id"]),
        lambda: viewer.delete(there),
        lambda: viewer.ask("POST", f"/file/{there['id']}/version/1"),
        lambda: viewer.ask("PUT", f"/workspaces/{folder.workspace}/chunks/chunk", data=b"mine"),
    ]
    for deed in deeds:
        with pytest.raises(Refused) as refused:
            deed()
        assert refused.value.kind == "403"

    assert viewer.download(there) == bytes(SIZE)
    assert folder.owner.metadata(there) == there
    assert (folder.used(), viewer.quota_used()) == (SIZE, SIZE)
