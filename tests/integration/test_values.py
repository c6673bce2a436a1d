"""What a name or a number may be: taken as it is, or clearly refused, on both protocols."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.clients.answers import Refused
from tests.integration.clients.device import Device
from tests.integration.clients.items import new_file, new_folder
from tests.integration.conftest import Devices
from tests.integration.surroundings.people import People

MOST = 2**63 - 1

GOOD_NAMES = {
    "one byte": "x",
    "255 bytes": "x" * 255,
    "255 bytes of 85 characters": "あ" * 85,
    "emoji": "👩‍👩‍👧‍👦 family 🏳️‍🌈",
    "composed and decomposed": "Å A\u030a",
    "right to left": "\u202e\u05e9\u05dc\u05d5\u05dd",
    "space only": " ",
    "three dots": "...",
    "backslash": "a\\b",
    "quotes": "\"'`;--",
    "control characters": "\x01\x1b[31m\x7f\r\n\t",
    "line separators": "\x85\u2028\u2029",
    "noncharacter": "\uffff\U0010ffff",
    "byte order mark": "\ufeff",
    "percent": "%s %% {} ${}",
}

BAD_NAMES = {
    "empty": ("", "is empty"),
    "256 bytes": ("x" * 256, "has 256 bytes in UTF-8; 255 are allowed"),
    "258 bytes of 86 characters": ("あ" * 86, "has 258 bytes in UTF-8; 255 are allowed"),
    "dot": (".", "cannot be '.'"),
    "two dots": ("..", "cannot be '..'"),
    "slash": ("a/b", "holds a slash or a NUL"),
    "NUL": ("a\0b", "holds a slash or a NUL"),
}


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_name_comes_back_as_it_went(name: str, device: Device) -> None:
    filename = GOOD_NAMES[name]

    file, folder = device.commit(
        new_folder(filename, temp_id=-1), new_file(filename, parent_id=-1, chunks=[filename])
    ).items

    assert (file["filename"], folder["filename"]) == (filename, filename)
    assert folder["chunks"] == [filename]
    assert device.next_notification().answer is not None
    assert [item["filename"] for item in device.changes(since=0)] == [filename, filename]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("new", [new_file, new_folder])
def test_a_name_that_cannot_be_is_refused(name: str, new: Any, device: Device) -> None:
    filename, problem = BAD_NAMES[name]

    answer = device.commit(new(filename), new_file("good"))

    assert answer.reasons == ["invalid", None]
    assert answer.outcomes[0].problem == f"filename: {problem}"
    assert [item["filename"] for item in device.changes(since=0)] == ["good"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"size": -1}, "size: -1 is not between 0 and 2^63 - 1"),
        ({"size": 2**63}, "size: 9223372036854775808 is not between 0 and 2^63 - 1"),
        ({"checksum": 2**63}, "checksum: 9223372036854775808 is not a signed 64-bit integer"),
        ({"version": 2}, "version: a new item has version 1, not 2"),
        ({"version": 0}, "version: a new item has version 1, not 0"),
        ({"status": "CHANGED"}, "status: a new item, without id, has status NEW, not CHANGED"),
        ({"id": 0}, "id: 0 is not an item's id"),
        ({"id": -1}, "id: -1 is not an item's id"),
        ({"id": 2**63}, "id: 9223372036854775808 is not an item's id"),
        ({"id": 1, "version": 2**63}, "version: 9223372036854775808 is not between 1 and 2^63 - 1"),
        ({"parent_id": 2**63}, "parent_id: 9223372036854775808 is not a 64-bit integer"),
        ({"filename": None}, "filename: a new item needs one"),
        ({"chunks": ["good", "a/b"]}, "chunks[1]: holds a slash or a NUL"),
        ({"mimetype": "text/\0"}, "mimetype: holds a NUL"),
        ({"modified_at": "0001-01-01T00:00:00Z"}, "modified_at: is out of range"),
    ],
    ids=repr,
)
def test_a_value_that_cannot_be_is_refused(
    fields: dict[str, Any], problem: str, device: Device
) -> None:
    answer = device.commit({**new_file("bad"), **fields}, new_file("good"))

    assert answer.reasons == ["invalid", None]
    told = answer.outcomes[0].problem
    # Names on the wire differ; the rest is the same on both protocols.
    if device.protocol == "amqp":
        problem = problem.replace("parent_id", "parentId").replace("modified_at", "modifiedAt")
    assert told == problem


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"size": 2**64}, "size"),
        ({"size": -(2**64)}, "size"),
        ({"size": 1.5}, "size"),
        ({"size": "10"}, "size"),
        ({"size": True}, "size"),
        ({"id": "7"}, "id"),
        ({"version": None}, "version"),
        ({"version": 1.0}, "version"),
        ({"filename": 7}, "filename"),
        ({"filename": ["a"]}, "filename"),
        ({"is_folder": 0}, "is_folder"),
        ({"is_folder": "false"}, "is_folder"),
        ({"chunks": "chk-1"}, "chunks"),
        ({"chunks": ["chk-1", None]}, "chunks[1]"),
        ({"chunks": {"0": "chk-1"}}, "chunks"),
        ({"status": "new"}, "status"),
        ({"status": None}, "status"),
        ({"modified_at": "yesterday"}, "modified_at"),
        ({"modified_at": "2026-11-21T05:27:00"}, "modified_at"),
        ({"modified_at": None}, "modified_at"),
        ({"modified_at": 10**30}, "modified_at"),
    ],
    ids=repr,
)
def test_a_wrong_type_refuses_the_request_and_names_the_field(
    fields: dict[str, Any], parameter: str, device: Device
) -> None:
    if device.protocol == "amqp":
        parameter = {"is_folder": "isFolder", "modified_at": "modifiedAt"}.get(parameter, parameter)

    with pytest.raises(Refused) as refused:
        device.commit(new_file("good"), {**new_file("bad"), **fields})

    assert refused.value.kind in ("400", "IllegalArgumentException")
    assert refused.value.message.startswith(f"items[1].{parameter}: ")
    assert device.revision == 0


def test_the_largest_numbers_come_back_as_they_went(
    protocol: str, people: People, devices: Devices
) -> None:
    device = devices.on(protocol, people.add(quota=MOST))

    item = device.commit(new_file(size=MOST, checksum=-MOST - 1)).item

    assert (item["size"], item["checksum"]) == (MOST, -MOST - 1)
    assert device.changes(since=0) == [item]
    assert device.account()["quota_used"] == MOST
    assert device.commit(new_file(size=1), new_file(size=MOST)).reasons == ["quota"] * 2


@pytest.mark.parametrize("instant", ["2026-11-21T06:27:00.1239+01:00", 1_795_238_820_123])
def test_an_instant_is_kept_to_the_millisecond_in_utc(instant: str | int, device: Device) -> None:
    item = device.commit(new_file(modified_at=instant)).item

    assert item["modified_at"] == "2026-11-21T05:27:00.123Z"
    assert device.changes(since=0)[0]["modified_at"] == "2026-11-21T05:27:00.123Z"


def test_a_lone_surrogate_is_no_text(device: Device) -> None:
    with pytest.raises(Refused, match="not JSON in UTF-8"):
        device.commit(new_file("\ud800"))


def test_every_id_that_fits_is_taken_and_no_other(device: Device) -> None:
    answer = device.commit(
        new_folder(temp_id=-(2**63)), new_file(parent_id=-(2**63)), new_file(temp_id=MOST)
    )

    assert answer.reasons == [None] * 3


def test_a_request_id_of_128_bytes_is_taken_and_a_longer_one_refused(device: Device) -> None:
    assert device.commit(new_file(), request_id="ä" * 64).request_id == "ä" * 64
    with pytest.raises(Refused, match="128 bytes"):
        device.commit(new_file(), request_id="ä" * 64 + "x")


def test_an_empty_batch_is_refused(device: Device) -> None:
    with pytest.raises(Refused, match="items: is empty"):
        device.commit()
