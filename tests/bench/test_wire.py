"""A stamped template is a request like any other."""

from __future__ import annotations

import json

import pytest

from bench.users import User
from bench.wire import amqp_commit, amqp_request, http_commit, new_file, new_stamp, stamped

USER = User("user@example.org", "account", "device", "workspace")


def test_a_stamp_makes_id_and_file_names_new_and_keeps_the_length() -> None:
    template = amqp_commit(USER, [new_file(3), new_file(2, number=1)])
    stamp = new_stamp()
    body = stamped(template, stamp)
    request = json.loads(body)
    (parameter,) = request["params"]
    assert len(body) == len(template)
    assert request["id"] == parameter["requestId"] == stamp.decode()
    names = [item["filename"] for item in parameter["items"]]
    assert len(set(names)) == 2
    assert all(stamp.decode() in name for name in names)


def test_the_http_request_has_the_length_that_it_says() -> None:
    head, _, body = stamped(http_commit(USER, [new_file(1)]), new_stamp()).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body)["items"][0]["is_folder"] is False


def test_a_body_of_several_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="more than one frame"):
        amqp_request(1, 4096, b"x" * 4096)
