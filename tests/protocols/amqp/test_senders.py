"""Whose turn a request takes."""

from __future__ import annotations

import time

import pytest

from stacksync.protocols.amqp.senders import sender_by_login, sender_by_message
from tests.protocols.amqp.requests import deliver, request

ANNA = "a44a0000-0000-4000-8000-000000000001"


def test_the_login_is_the_sender() -> None:
    assert sender_by_login(request("greet", {}, user_id="Anna@example.org")) == "anna@example.org"
    assert sender_by_login(request("greet", {})) == ""


def test_an_account_has_one_turn_by_its_id_and_by_its_own_exchange() -> None:
    by_exchange = request("greet", {})
    by_exchange.exchange = f"rpc#{ANNA}"

    assert sender_by_login(by_exchange) == ANNA
    assert sender_by_login(request("greet", {}, user_id=ANNA.upper())) == ANNA


@pytest.mark.parametrize(
    "body", [b'{"userId":"%b"}', b'{ "a": 1, "userId" :\n "%b" }', b'[{"userId":"%b"}]']
)
def test_the_message_says_who_it_is_from(body: bytes) -> None:
    assert sender_by_message(deliver(body % ANNA.upper().encode())) == ANNA


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b'{"userId": null}', b'{"userId": "anna"}'])
def test_a_message_that_does_not_is_of_who_waits_for_the_answer(body: bytes) -> None:
    assert sender_by_message(deliver(body, reply_to="reply_1")) == "reply_1"
    assert sender_by_message(deliver(body)) == ""


def test_a_message_of_megabytes_is_not_searched_to_its_end() -> None:
    body = b'"userId"' * 2**20
    # Of this thread: what others do on the machine is not counted.
    began = time.thread_time()

    for _ in range(10):
        sender_by_message(deliver(body))

    assert time.thread_time() - began < 1
