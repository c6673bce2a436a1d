"""What addresses and accounts may ask, counted without a network."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from attrs import evolve
from twisted.internet.task import Clock

from stacksync.config import LimitsConfig
from stacksync.errors import TooManyRequests
from stacksync.model import Principal, SignIn
from stacksync.protocols.http.edge.allowance import SHARE, Allowance
from stacksync.protocols.http.edge.proxies import LOCAL

ANNA, BERT = (Principal(UUID(int=number), SignIn.TOKEN) for number in (1, 2))
ANNA_HERSELF = evolve(ANNA, sign_in=SignIn.PASSWORD)


def allowance(**limits: Any) -> Allowance:
    clock: Any = Clock()
    return Allowance(clock, LimitsConfig(**limits), connections=2 * SHARE)


def test_all_addresses_of_one_customer_share_a_bucket() -> None:
    found = allowance(address_burst=2)
    found.request_from("2001:db8::1")
    found.request_from("2001:db8::ffff:2")

    with pytest.raises(TooManyRequests):
        found.request_from("2001:db8:0:0:3::")
    found.request_from("2001:db8:0:1::1")
    found.request_from("192.0.2.1")


def test_a_unix_socket_is_no_address() -> None:
    found = allowance(address_burst=1)

    for _ in range(10):
        found.request_from(LOCAL)


def test_accounts_and_addresses_are_counted_apart() -> None:
    found = allowance(address_burst=1, account_burst=2)
    found.request_from("192.0.2.1")
    found.request_of(ANNA)
    found.request_of(ANNA)

    with pytest.raises(TooManyRequests, match="of this account"):
        found.request_of(ANNA)
    found.request_of(BERT)


def test_nobody_has_more_than_a_share_of_the_connections_under_way() -> None:
    found = allowance()
    found.begin(ANNA)
    found.begin(ANNA)

    with pytest.raises(TooManyRequests, match="has 2 requests under way"):
        found.begin(ANNA)
    found.begin(BERT)
    found.end(ANNA)
    found.begin(ANNA)
    for each in (ANNA, ANNA, BERT):
        found.end(each)
    assert not found._under_way


def test_whoever_has_taken_a_token_keeps_its_owner_from_nothing() -> None:
    found = allowance(account_burst=2)
    for _ in range(2):
        found.request_of(ANNA)
        found.begin(ANNA)

    found.request_of(ANNA_HERSELF)
    found.begin(ANNA_HERSELF)
    with pytest.raises(TooManyRequests):
        found.request_of(ANNA)
    with pytest.raises(TooManyRequests):
        found.begin(ANNA)


def test_so_many_bodies_at_a_time_and_others_when_they_are_through() -> None:
    found = allowance(account_uploads=2)
    anna = ANNA.account_id
    with found.body_of(anna):
        with found.body_of(anna):
            with (
                pytest.raises(TooManyRequests, match="sending 2 bodies"),
                found.body_of(anna),
            ):
                pass
            with found.body_of(BERT.account_id):
                pass
        with found.body_of(anna):
            pass
    assert not found._bodies


def test_a_body_that_fails_makes_room_as_well() -> None:
    found = allowance(account_uploads=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), found.body_of(ANNA.account_id):
            raise ValueError("broken")
