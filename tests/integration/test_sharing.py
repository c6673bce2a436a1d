"""People share folders, whatever their devices speak, and each is told what concerns them."""

from __future__ import annotations

import pytest

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.answers import Refused
from tests.integration.clients.device import Device
from tests.integration.clients.items import changed, new_file, new_folder
from tests.integration.clients.sharing import (
    accept,
    decline,
    leave,
    members,
    news,
    propose,
    told_of,
    unshare,
    waiting,
    withdraw,
)
from tests.integration.conftest import Devices
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import until
from tests.integration.surroundings.people import People
from tests.servers.stacksync import StackSyncProcess

OTHER = {"amqp": "http", "http": "amqp"}


@pytest.fixture
def owner(protocol: str, people: People, devices: Devices) -> Device:
    """A device of whose folders are shared, on each of the protocols."""
    return devices.on(protocol, people.add())


@pytest.fixture
def guest(protocol: str, people: People, devices: Devices) -> Device:
    """A device of whom they are shared with, on the other protocol."""
    return devices.on(OTHER[protocol], people.add())


def folder_of(device: Device, name: str = "Fotos") -> int:
    return int(device.commit(new_folder(name)).item["id"])


def shared(owner: Device, guest: Device, role: str = "editor") -> tuple[int, str]:
    """A folder that the two share: its id, and that of its workspace."""
    folder = folder_of(owner)
    assert propose(owner, folder, guest.user.email, role=role) == ["invited"]
    return folder, accept(guest, waiting(guest)[0].id)


def test_a_folder_is_shared_edited_and_unshared(owner: Device, guest: Device) -> None:
    folder, file = (
        each["id"]
        for each in owner.commit(
            new_folder("Fotos", temp_id=-1), new_file("sea.jpg", parent_id=-1)
        ).items
    )

    assert propose(owner, folder, guest.user.email) == ["invited"]
    asked = news(guest, "share-proposal")
    (proposal,) = waiting(guest)
    assert (proposal.folder, proposal.folder_name) == (folder, "Fotos")
    assert asked == {"workspace": proposal.workspace, "folder_name": "Fotos"}

    workspace = accept(guest, proposal.id)
    assert workspace == proposal.workspace
    for device in (owner, guest):
        assert news(device, "workspace") == {"workspace": workspace, "folder_name": "Fotos"}
        device.listen()
    theirs = {item["id"]: item for item in guest.changes(0, workspace)}
    assert set(theirs) == {folder, file}

    answer = guest.commit(changed(theirs[file], size=99), workspace_id=workspace)
    told_of(owner, workspace, answer.revision)

    unshare(owner, folder, guest.user.email)
    assert news(guest, "unshare")["workspace"] == workspace
    assert [told.id for told in guest.workspaces()] == [guest.workspace]
    with pytest.raises(Refused):
        guest.changes(0, workspace)
    mine = {item["id"]: item for item in owner.changes(0)}
    assert (mine[file]["size"], mine[folder]["filename"]) == (99, "Fotos")


def test_who_is_unshared_hears_nothing_more(owner: Device, guest: Device) -> None:
    folder, workspace = shared(owner, guest)
    news(guest, "workspace")
    known = guest.listen()[workspace]
    unshare(owner, folder, guest.user.email)
    news(guest, "unshare")

    owner.commit(new_file("secret.txt", parent_id=folder))
    mine = guest.commit(new_file())

    told = guest.next_notification()
    while (told.workspace_id, told.revision) == (workspace, known):
        # That it was shared is told in its own time.
        told = guest.next_notification()
    assert (told.workspace_id, told.revision) == (guest.workspace, mine.revision)


def test_a_proposal_is_declined(owner: Device, guest: Device) -> None:
    propose(owner, folder_of(owner), guest.user.email)
    (proposal,) = waiting(guest)

    decline(guest, proposal.id)

    assert waiting(guest) == []
    with pytest.raises(Refused, match="declined"):
        accept(guest, proposal.id)
    assert [told.id for told in guest.workspaces()] == [guest.workspace]


def test_a_proposal_is_taken_back(owner: Device, guest: Device) -> None:
    propose(owner, folder_of(owner), guest.user.email)
    (proposal,) = waiting(guest)

    withdraw(owner, proposal.id)

    assert waiting(guest) == []
    with pytest.raises(Refused, match="withdrawn"):
        accept(guest, proposal.id)


def test_a_guest_leaves_by_itself(owner: Device, guest: Device) -> None:
    folder, workspace = shared(owner, guest)
    assert members(owner, folder) == {owner.user.email: "owner", guest.user.email: "editor"}

    leave(guest, folder)

    assert news(guest, "unshare")["workspace"] == workspace
    assert members(owner, folder) == {owner.user.email: "owner"}


def test_a_viewer_looks_and_does_not_touch(owner: Device, guest: Device) -> None:
    folder, workspace = shared(owner, guest, role="viewer")

    assert [item["id"] for item in guest.changes(0, workspace)] == [folder]
    with pytest.raises(Refused, match="viewers cannot"):
        guest.commit(new_file(parent_id=folder), workspace_id=workspace)
    with pytest.raises(Refused):
        propose(guest, folder, "friend@example.org")


def test_who_has_no_account_yet_is_asked_when_it_is_made(
    owner: Device, server: StackSyncProcess, devices: Devices, protocol: str
) -> None:
    email = f"late-{owner.user.id}@example.org"
    folder = folder_of(owner)
    assert propose(owner, folder, email) == ["invited"]

    late = devices.on(OTHER[protocol], server.add_user(email))

    (proposal,) = waiting(late)
    assert proposal.folder == folder
    assert accept(late, proposal.id) == proposal.workspace


def test_old_clients_are_members_at_once_where_the_server_accepts_for_them(
    fleet: Fleet, database_dsn: str, amqp_url: str, devices: Devices
) -> None:
    server = fleet.start(database_dsn, amqp_url, sharing={"auto_accept": "yes"})
    people = People(server)
    owner, guest = (devices.laptop(people.add(), server) for _ in range(2))
    folder = folder_of(owner)

    owner.send(
        "createShareProposal",
        asynchronous=True,
        itemId=folder,
        emails=[guest.user.email],
        isEncrypted=False,
    )

    for device in (owner, guest):
        name, told = device.next_share()
        assert (name, told["itemId"], told["folderName"]) == (
            "notifyShareProposal",
            folder,
            "Fotos",
        )
    assert told["workspaceId"] in [each.id for each in guest.workspaces()]
    assert waiting(guest) == []


def test_an_old_clients_proposal_that_cannot_be_is_answered(
    people: People, devices: Devices
) -> None:
    owner = devices.laptop(people.add())
    message = owner.send("createShareProposal", asynchronous=True, itemId=1, emails=["a@b"])

    with pytest.raises(Refused) as refused:
        owner.response_to(message)
    assert refused.value.kind == "ShareProposalNotCreatedException"


def test_a_repeated_proposal_is_one(people: People, devices: Devices) -> None:
    owner, guest = devices.laptop(people.add()), devices.phone(people.add())
    folder = folder_of(owner)
    asked = {"itemId": folder, "emails": [guest.user.email], "requestId": "once"}

    for _ in range(3):
        assert isinstance(owner, AmqpDevice)
        owner.call("createShareProposal", **asked)

    (proposal,) = waiting(guest)
    assert proposal.folder == folder


def test_what_is_shared_at_one_instance_is_told_by_the_other(
    fleet: Fleet, database_dsn: str, devices: Devices
) -> None:
    here, there = fleet.start(database_dsn), fleet.start(database_dsn)
    people = People(here)
    owner = devices.phone(people.add(), here)
    guest = devices.phone(people.add(), there)
    folder = folder_of(owner)

    propose(owner, folder, guest.user.email)
    asked = news(guest, "share-proposal")
    workspace = accept(guest, waiting(guest)[0].id)
    assert asked["workspace"] == workspace
    for device in (owner, guest):
        assert news(device, "workspace")["workspace"] == workspace
    made = owner.commit(new_file("sea.jpg", parent_id=folder), workspace_id=workspace)
    told_of(guest, workspace, made.revision)
    unshare(owner, folder, guest.user.email)
    assert news(guest, "unshare")["workspace"] == workspace
    until(lambda: len(guest.workspaces()) == 1, "the end of the share")
