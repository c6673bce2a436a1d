"""Messages larger than a frame of the broker's arrive as they went, whatever characters they hold.

A body is cut into frames by its bytes, so that a cut may fall inside of a
character.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.answers import Item
from tests.integration.clients.items import new_file
from tests.integration.conftest import Devices
from tests.servers.stacksync import KnownUser

FRAME_BODY = 131_064
"""Bytes of a body that fit into a frame: RabbitMQ's frame_max less eight of its own."""

TEXT = "💾é€"
PERIOD = len(TEXT.encode())
"""After so many bytes the same character comes at the same place."""


def large_file(shift: int) -> Item:
    """A file whose chunks fill three frames; most of its text begins ``shift`` bytes later."""
    chunks = [f"{number % 10}{TEXT * 28}" for number in range(1100)]
    return new_file(chunks=["x" * (shift + 1), *chunks])


def is_cut_inside_a_character(body: bytes) -> bool:
    """Whether the second frame begins with a continuation byte of UTF-8."""
    return body[FRAME_BODY] & 0xC0 == 0x80


@pytest.fixture
def laptop(user: KnownUser, devices: Devices) -> AmqpDevice:
    return devices.laptop(user)


def test_a_message_may_be_cut_at_every_byte_of_a_character(
    user: KnownUser, laptop: AmqpDevice, devices: Devices
) -> None:
    phone = devices.phone(user)
    cut = {"there": 0, "notified": 0, "back": 0}

    for shift in range(PERIOD):
        wish = large_file(shift)
        cursor = laptop.revision

        item = laptop.commit(wish).item
        cut["there"] += is_cut_inside_a_character(laptop.last_sent)
        cut["notified"] += is_cut_inside_a_character(laptop.last_received)
        (listed,) = laptop.changes(cursor)
        cut["back"] += is_cut_inside_a_character(laptop.last_received)

        assert item["chunks"] == listed["chunks"] == wish["chunks"]
        assert phone.changes(cursor) == [item]

    # Six of the nine bytes of the text continue a character; an id that has
    # grown by a digit may have moved the text once.
    assert min(cut.values()) >= 5


@pytest.mark.parametrize("size", range(FRAME_BODY - 2, FRAME_BODY + 3))
def test_a_message_may_just_fit_into_a_frame(size: int, laptop: AmqpDevice) -> None:
    parameter = {"requestId": "1", "userId": str(laptop.user.id), "deviceName": "💾", "ignored": ""}
    request = {"id": "1", "method": "updateDevice", "async": False, "params": [parameter]}
    missing = size - len(encoded(request))
    parameter["ignored"] = "€" * (missing // 3) + "x" * (missing % 3)

    body = encoded(request)
    laptop.publish(body, "fits")

    assert len(body) == size
    assert len(laptop.response_to("fits")) == 36


def test_a_message_of_nearly_the_size_that_is_allowed_is_served(laptop: AmqpDevice) -> None:
    """Thirty thousand chunks: a file of 15 GB in today's clients."""
    wish = new_file(chunks=[f"{number:05}{TEXT * 27}" for number in range(30_000)])

    item = laptop.commit(wish).item

    assert 7_000_000 < len(laptop.last_sent) < 8 * 1024**2
    assert item["chunks"] == wish["chunks"]


def encoded(request: Any) -> bytes:
    return json.dumps(request, ensure_ascii=False).encode()
