"""A request that comes twice has one effect and two equal answers, whatever way it comes."""

from __future__ import annotations

from functools import partial

import pytest

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.answers import Answer, Item, Refused
from tests.integration.clients.device import Device
from tests.integration.clients.items import changed, deleted, moved, new_file, new_folder, renamed
from tests.integration.conftest import PROTOCOLS, Devices
from tests.integration.surroundings.threads import at_once
from tests.servers.stacksync import KnownUser

WAYS = [(first, second) for first in PROTOCOLS for second in PROTOCOLS]


class Sender:
    """Sends the same request first on one protocol and then on another, from one device."""

    def __init__(self, first: Device, second: Device) -> None:
        self.first = first
        self.second = second
        self.count = 0

    def twice(self, *items: Item) -> tuple[Answer, Answer]:
        """The answers to the two."""
        self.count += 1
        request_id = f"request {self.count}"
        return (
            self.first.commit(*items, request_id=request_id),
            self.repeat(*items),
        )

    def repeat(self, *items: Item) -> Answer:
        """The answer to the latest request, once more."""
        return commit_from(self.first.id, self.second, f"request {self.count}", *items)


def commit_from(device_id: str, device: Device, request_id: str, *items: Item) -> Answer:
    """The answer to this very message, where a notification could be of another one."""
    where = {"request_id": request_id, "device_id": device_id}
    if isinstance(device, AmqpDevice):
        return device.call_commit(*items, **where)
    return device.commit(*items, **where)


@pytest.fixture(params=WAYS, ids=" then ".join)
def sender(request: pytest.FixtureRequest, user: KnownUser, devices: Devices) -> Sender:
    first, second = request.param
    return Sender(devices.on(first, user), devices.on(second, user))


def test_a_repeat_has_no_second_effect_and_an_equal_answer(sender: Sender) -> None:
    first, second = sender.twice(new_folder(temp_id=-1), new_file(parent_id=-1, size=77))

    assert first == second
    assert (first.revision, first.quota_used) == (1, 77)
    assert sender.first.changes(since=0) == list(first.items)
    assert (sender.first.revision, sender.first.account()["quota_used"]) == (1, 77)


def test_a_repeated_change_is_not_stale(sender: Sender) -> None:
    item = sender.first.commit(new_file()).item

    first, second = sender.twice(changed(item))

    assert first == second
    assert second.item["version"] == 2


def test_a_repeated_deletion_of_a_folder_tells_its_content_again(sender: Sender) -> None:
    folder, _, _ = sender.first.commit(
        new_folder(temp_id=-1), new_file(parent_id=-1), new_file(parent_id=-1)
    ).items

    first, second = sender.twice(deleted(folder))

    assert first == second
    assert [item["status"] for item in second.items] == ["DELETED"] * 3


def test_a_batch_refused_in_part_is_answered_alike(sender: Sender) -> None:
    known = sender.first.commit(new_file("known")).item

    first, second = sender.twice(
        new_folder("folder", temp_id=-1),
        new_folder("known", temp_id=-2),
        new_file(parent_id=-2),
        new_file(".."),
        changed({**known, "version": 9}),
        new_file("good", parent_id=-1),
    )

    assert first == second
    assert first.reasons == [None, "name-taken", "dependency", "invalid", "stale", None]
    assert len(sender.first.changes(since=0)) == 3


def test_a_refusal_stands_when_its_reason_has_gone(sender: Sender) -> None:
    """The device has acted on the answer; another one would leave it wrong."""
    holder = sender.first.commit(new_file("name")).item
    wish = new_file("name")
    first, _ = sender.twice(wish)
    sender.first.commit(deleted(holder))

    again = sender.repeat(wish)

    assert again.outcomes == first.outcomes
    assert again.reasons == ["name-taken"]
    assert sender.first.changes(since=0) == []


def test_a_late_repeat_tells_what_was_committed_then(sender: Sender) -> None:
    wish = new_file("then")
    first, _ = sender.twice(wish)
    sender.second.commit(renamed(first.item, "now"))

    again = sender.repeat(wish)

    assert (again.outcomes, again.revision) == (first.outcomes, first.revision)
    assert [item["filename"] for item in sender.first.changes(since=0)] == ["now"]


def test_a_repeat_is_announced_again(sender: Sender) -> None:
    """The first time the announcement may not have got through."""
    first, _ = sender.twice(new_file())

    for device in (sender.first, sender.second):
        heard = [device.next_notification(), device.next_notification()]
        assert [notification.answer for notification in heard] == [first, first]


def test_repeats_at_the_same_moment_have_one_effect(sender: Sender) -> None:
    for number in range(25):
        wish, request = new_file(f"twin {number}"), f"twin {number}"
        one, other = at_once(
            *(
                partial(commit_from, sender.first.id, device, request, wish)
                for device in (sender.first, sender.second)
            )
        )
        assert one == other

    assert len(sender.first.changes(since=0)) == sender.first.revision == 25


BATCH = (new_file("one"), new_file("two", size=20))

OTHER_BATCHES = {
    "one item more": (*BATCH, new_file("three")),
    "one item less": BATCH[:1],
    "another name": (BATCH[0], {**BATCH[1], "filename": "zwei"}),
    "another size": (BATCH[0], {**BATCH[1], "size": 21}),
    "another order": BATCH[::-1],
    "an item of old": (BATCH[0], {**BATCH[1], "id": 1}),
}


@pytest.mark.parametrize("other", OTHER_BATCHES)
def test_a_request_id_cannot_stand_for_another_batch(other: str, sender: Sender) -> None:
    sender.twice(*BATCH)

    with pytest.raises(Refused, match="request 1 was committed before") as refused:
        sender.repeat(*OTHER_BATCHES[other])

    assert refused.value.kind in ("409", "IllegalArgumentException")
    assert len(sender.first.changes(since=0)) == 2
    assert sender.first.revision == 1


def test_a_request_id_of_a_refused_batch_cannot_stand_for_another(sender: Sender) -> None:
    sender.twice(new_file(".."), new_file("good"))

    with pytest.raises(Refused, match="request 1 was committed before"):
        sender.repeat(new_file(".."), new_file("other"))


def test_two_devices_may_use_the_same_request_id(user: KnownUser, devices: Devices) -> None:
    laptop, phone = devices.laptop(user), devices.phone(user)

    one = laptop.commit(new_file("one"), request_id="1")
    two = phone.commit(new_file("two"), request_id="1")

    assert (one.revision, two.revision) == (1, 2)


def test_a_message_published_twice_is_answered_twice(user: KnownUser, devices: Devices) -> None:
    laptop = devices.laptop(user)
    folder = laptop.commit(new_folder()).item
    wish = moved(laptop.commit(new_file()).item, folder["id"])

    for _ in range(3):
        laptop.send_commit(wish, request_id="again")
    answers = [laptop.answer_to("again") for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert answers[0].reasons == [None]


def test_a_post_without_a_key_is_a_request_of_its_own(user: KnownUser, devices: Devices) -> None:
    phone = devices.phone(user)
    path = f"/workspaces/{phone.workspace}/commits"
    body = {"device_id": phone.id, "items": [new_file("once")]}

    reasons = [phone.ask("POST", path, body)["items"][0]["reason"] for _ in range(2)]

    assert reasons == [None, "name-taken"]


def test_the_request_id_may_stand_in_the_body(user: KnownUser, devices: Devices) -> None:
    phone = devices.phone(user)
    path = f"/workspaces/{phone.workspace}/commits"
    body = {"device_id": phone.id, "request_id": "r1", "items": [new_file("once")]}

    answers = [phone.ask("POST", path, body) for _ in range(2)]
    answers.append(phone.ask("POST", path, body, {"Idempotency-Key": "r1"}))

    assert answers[0] == answers[1] == answers[2]
    with pytest.raises(Refused, match="differs"):
        phone.ask("POST", path, body, {"Idempotency-Key": "r2"})
