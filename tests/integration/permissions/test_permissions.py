"""Nobody gets at what is not theirs, and nobody can tell whether it exists.

Every operation is tried on something of a stranger's and on something that
does not exist; the two are refused alike, on both protocols.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.answers import Answer, Item, Refused
from tests.integration.clients.device import Device
from tests.integration.clients.http_device import HttpDevice
from tests.integration.clients.items import (
    changed,
    deleted,
    moved,
    new_file,
    new_folder,
    next_version,
    renamed,
)
from tests.integration.conftest import Devices
from tests.integration.surroundings.people import People
from tests.servers.stacksync import KnownUser, StackSyncProcess

UNKNOWN_ITEM = 2**62

Operation = Callable[[Device, str], object]
"""Something done with a device to what an id names."""


class Stranger:
    """Another user with a device, a folder and a file, none of which may change."""

    def __init__(self, user: KnownUser, device: Device) -> None:
        self.user = user
        self.device = device
        self.folder, self.file = device.commit(
            new_folder("private", temp_id=-1), new_file("secret", parent_id=-1)
        ).items

    def assert_untouched(self) -> None:
        assert self.device.revision == 1
        assert self.device.changes(since=0) == [self.folder, self.file]
        assert [told.name for told in self.device.workspaces()] == ["StackSync"]
        assert self.device.account()["quota_used"] == 10


@pytest.fixture(scope="module")
def stranger(server: StackSyncProcess, people: People) -> Stranger:
    device = HttpDevice(server.http_url, people.add())
    device.register()
    return Stranger(device.user, device)


def refusal(operation: Operation, device: Device, identity: str) -> tuple[str, str]:
    """How the operation is refused: the kind of error, and the message without the id."""
    with pytest.raises(Refused) as refused:
        operation(device, identity)
    assert identity in refused.value.message
    return refused.value.kind, refused.value.message.replace(identity, "…")


ON_WORKSPACES: dict[str, tuple[Operation, str]] = {
    "commit": (
        lambda device, which: device.commit(new_file(), workspace_id=which),
        "IllegalArgumentException",
    ),
    "a commit of nothing good": (
        lambda device, which: device.commit(new_file(".."), workspace_id=which),
        "IllegalArgumentException",
    ),
    "changes": (lambda device, which: device.changes(0, which), "IllegalArgumentException"),
    "changes since a revision": (
        lambda device, which: device.changes(1, which),
        "IllegalArgumentException",
    ),
    "changes since a revision to come": (
        lambda device, which: device.changes(10**6, which),
        "IllegalArgumentException",
    ),
    "rename": (
        lambda device, which: device.update_workspace(which, "mine"),
        "WorkspaceNotUpdatedException",
    ),
}


@pytest.mark.parametrize("name", ON_WORKSPACES)
def test_a_strangers_workspace_looks_like_none(
    name: str, device: Device, stranger: Stranger
) -> None:
    operation, exception = ON_WORKSPACES[name]

    theirs = refusal(operation, device, stranger.device.workspace)
    nobodys = refusal(operation, device, str(uuid4()))

    kind = "404" if device.protocol == "http" else exception
    assert theirs == nobodys == (kind, "no such workspace: …")
    stranger.assert_untouched()


def test_a_strangers_workspace_cannot_be_looked_at(
    user: KnownUser, devices: Devices, stranger: Stranger
) -> None:
    def look(device: Device, identity: str) -> object:
        assert isinstance(device, HttpDevice)
        return device.ask("GET", f"/workspaces/{identity}")

    phone = devices.phone(user)

    assert refusal(look, phone, stranger.device.workspace) == refusal(look, phone, str(uuid4()))


ON_DEVICES: dict[str, tuple[Operation, str]] = {
    "commit": (
        lambda device, which: device.commit(new_file(), device_id=which),
        "IllegalArgumentException",
    ),
    "rename": (
        lambda device, which: device.update_device(which, "mine"),
        "DeviceNotUpdatedException",
    ),
}


@pytest.mark.parametrize("name", ON_DEVICES)
def test_a_strangers_device_looks_like_none(name: str, device: Device, stranger: Stranger) -> None:
    operation, exception = ON_DEVICES[name]

    theirs = refusal(operation, device, stranger.device.id)
    nobodys = refusal(operation, device, str(uuid4()))

    kind = "404" if device.protocol == "http" else exception
    assert theirs == nobodys == (kind, "no such device: …")
    assert device.revision == 0


def test_a_strangers_device_stays_as_it_is(device: Device, stranger: Stranger) -> None:
    with pytest.raises(Refused):
        device.update_device(stranger.device.id, "stolen")

    assert isinstance(stranger.device, HttpDevice)
    (theirs,) = stranger.device.ask("GET", "/devices")["devices"]
    assert theirs["name"] == "phone"


WITH_ITEMS: dict[str, tuple[Callable[[Item], Item], str]] = {
    "change": (changed, "not-found"),
    "rename": (lambda item: renamed(item, "mine"), "not-found"),
    "move": (lambda item: moved(item, None), "not-found"),
    "delete": (deleted, "not-found"),
    "bring back": (lambda item: next_version(item, "NEW"), "not-found"),
    "a stale change": (lambda item: changed({**item, "version": 9}), "not-found"),
    "put into": (lambda item: new_file(parent_id=item["id"]), "parent-not-found"),
}


@pytest.mark.parametrize("name", WITH_ITEMS)
def test_a_strangers_item_looks_like_none(name: str, device: Device, stranger: Stranger) -> None:
    make, reason = WITH_ITEMS[name]
    theirs: Answer = device.commit(make({**stranger.folder, "parent_id": None}))
    nobodys = device.commit(make({**stranger.folder, "id": UNKNOWN_ITEM, "parent_id": None}))

    assert theirs.outcomes == nobodys.outcomes
    assert theirs.reasons == [reason]
    assert theirs.outcomes[0].item is None
    stranger.assert_untouched()


def test_an_own_item_does_not_go_into_a_strangers_folder(
    device: Device, stranger: Stranger
) -> None:
    item = device.commit(new_file()).item

    assert device.commit(moved(item, stranger.folder["id"])).reasons == ["parent-not-found"]
    assert device.commit(moved(item, UNKNOWN_ITEM)).reasons == ["parent-not-found"]


def test_a_workspace_is_not_mounted_in_a_strangers_folder(
    device: Device, stranger: Stranger
) -> None:
    def mount(device: Device, identity: str) -> None:
        device.update_workspace(device.workspace, "mounted", int(identity))

    theirs = refusal(mount, device, str(stranger.folder["id"]))
    nobodys = refusal(mount, device, str(UNKNOWN_ITEM))

    kind = "404" if device.protocol == "http" else "WorkspaceNotUpdatedException"
    assert theirs == nobodys == (kind, "no such item: …")
    assert [told.name for told in device.workspaces()] == ["StackSync"]


def test_a_strangers_account_looks_like_none(
    user: KnownUser, devices: Devices, stranger: Stranger
) -> None:
    def ask(device: Device, email: str) -> object:
        assert isinstance(device, AmqpDevice)
        return device.call("getAccountInfo", email=email)

    laptop = devices.laptop(user)

    theirs = refusal(ask, laptop, stranger.user.email)
    assert theirs == refusal(ask, laptop, "nobody@example.org")
    assert theirs == ("UserNotFoundException", "no such account: …")


def test_an_unknown_user_is_refused_everything(
    server: StackSyncProcess, user: KnownUser, devices: Devices
) -> None:
    known = devices.laptop(user)
    nobody = AmqpDevice(server.amqp_url, KnownUser(uuid4(), "nobody@example.org", ""))

    refused = {}
    for name, operation in {
        "workspaces": nobody.workspaces,
        "device": nobody.register,
        "changes": lambda: nobody.changes(0, known.workspace),
        "commit": lambda: nobody.commit(
            new_file(), device_id=known.id, workspace_id=known.workspace
        ),
        "rename": lambda: nobody.update_workspace(known.workspace, "mine"),
        "account": nobody.account,
    }.items():
        with pytest.raises(Refused) as error:
            operation()  # type: ignore[operator]
        refused[name] = error.value.kind

    assert refused == {
        "workspaces": "NoWorkspacesFoundException",
        "device": "UserNotFoundException",
        "changes": "IllegalArgumentException",
        "commit": "IllegalArgumentException",
        "rename": "WorkspaceNotUpdatedException",
        "account": "UserNotFoundException",
    }
    nobody.close()


def test_an_unknown_e_mail_is_refused_like_a_wrong_password(
    server: StackSyncProcess, user: KnownUser
) -> None:
    told = set()
    for email in (user.email, "nobody@example.org"):
        intruder = HttpDevice(server.http_url, KnownUser(user.id, email, "guess"))
        with pytest.raises(Refused) as refused:
            intruder.workspaces()
        told.add((refused.value.kind, refused.value.message))

    ((kind, _),) = told
    assert kind == "401"
