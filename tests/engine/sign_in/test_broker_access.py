"""What an account may do at the broker: its own, and nothing that is anybody else's."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from attrs import define, field, frozen
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred

from stacksync.db.broker_access import Standing
from stacksync.engine.sign_in.broker_access import (
    BrokerAccess,
    BrokerQuestion,
    Grant,
    ids_in,
    login_of,
)
from stacksync.model import BrokerPermission, BrokerResource, ClientExchange
from tests.engine.conftest import People

CONFIGURE, READ, WRITE = (
    BrokerPermission.CONFIGURE,
    BrokerPermission.READ,
    BrokerPermission.WRITE,
)
QUEUE, EXCHANGE = BrokerResource.QUEUE, BrokerResource.EXCHANGE

OWN, DEVICE, HEARD, OTHER = (UUID(int=0xA5A5 << 100 | number) for number in range(1, 5))


@frozen
class Names:
    request_exchange: str = "rpc_global_exchange"
    request_queue: str = "ISyncService"
    dead_letter_queue: str = "ISyncService.dead-letter"


@define
class Known:
    """Stands for the database: one account with a device, a member of one workspace."""

    asked: list[Any] = field(factory=list)

    async def standing(self, login: UUID | str, named: tuple[UUID, ...]) -> Standing | None:
        self.asked.append((login, named))
        if login not in (OWN, "anna@example.org"):
            return None
        return Standing(OWN, {DEVICE} & set(named), {HEARD} & set(named))


def granted(
    name: str, resource: BrokerResource, permission: BrokerPermission, login: str = str(OWN)
) -> Grant | None:
    known: Any = Known()
    question = BrokerQuestion(login, resource, name, permission)
    asked = Deferred.fromCoroutine(BrokerAccess(known).grant(question, Names()))
    assert len(known.asked) <= 1, "one round trip"
    found: list[Grant | None] = []
    asked.addCallback(found.append)
    return found[0]


ids = st.sampled_from([OWN, DEVICE, OTHER]) | st.uuids()
spelled = ids.flatmap(lambda each: st.sampled_from([str(each), str(each).upper()]))
pieces = st.lists(spelled | st.text("0123456789abcdef-_ #.x", max_size=12), max_size=5)


@given(name=pieces.map("".join), permission=st.sampled_from(BrokerPermission))
def test_a_queue_is_its_own_only_if_all_ids_in_its_name_are(
    name: str, permission: BrokerPermission
) -> None:
    strangers = ids_in(name) - {OWN, DEVICE}
    own = ids_in(name) & {OWN, DEVICE}

    may = granted(name, QUEUE, permission) is not None

    assert may == (bool(own) and not strangers and len(name) <= 255)


@given(
    prefix=st.sampled_from(["rpc#", "multi#", "multi", "rpc", "", "#", "rpc_global_exchange"]),
    name=pieces.map("".join),
    permission=st.sampled_from(BrokerPermission),
)
def test_an_exchange_of_anothers_is_never_granted(
    prefix: str, name: str, permission: BrokerPermission
) -> None:
    full = prefix + name

    grant = granted(full, EXCHANGE, permission)

    if grant is not None:
        allowed = {f"rpc#{OWN}": (WRITE, CONFIGURE), f"multi#{OWN}": (READ, CONFIGURE)}
        allowed["rpc_global_exchange"] = (WRITE,)
        assert permission in allowed.get(full, ())
        assert grant.exchange == ClientExchange.parse(full)


@pytest.mark.parametrize(
    ("name", "permissions"),
    [
        ("rpc_global_exchange", {WRITE}),
        (f"rpc#{OWN}", {WRITE, CONFIGURE}),
        (f"multi#{OWN}", {READ, CONFIGURE}),
        (f"multi#{HEARD}", {READ, CONFIGURE}),
        (f"rpc#{HEARD}", set()),
        (f"multi#{DEVICE}", set()),
        (f"multi#{OTHER}", set()),
        (f"multi#{str(OWN).upper()}", set()),
        ("amq.default", set()),
        ("amq.topic", set()),
        ("", set()),
        ("ISyncService", set()),
    ],
)
def test_what_may_be_done_with_an_exchange(name: str, permissions: set[BrokerPermission]) -> None:
    assert {each for each in BrokerPermission if granted(name, EXCHANGE, each)} == permissions


@pytest.mark.parametrize(
    "name", [f"reply_{DEVICE}", f"{OWN}", "amq.gen-made-up", f"{OWN}/{DEVICE}"]
)
def test_with_queues_of_its_own_it_may_do_all(name: str) -> None:
    assert all(granted(name, QUEUE, each) for each in BrokerPermission)


@pytest.mark.parametrize(
    "name",
    ["ISyncService", "ISyncService.dead-letter", "", f"reply_{OTHER}", f"{OWN}{OTHER}", "x" * 256],
)
def test_with_other_queues_it_may_do_nothing(name: str) -> None:
    assert not any(granted(name, QUEUE, each) for each in BrokerPermission)


def test_a_queue_that_is_to_hear_something_has_to_be_exclusive() -> None:
    assert granted(f"{OWN}", QUEUE, WRITE) == Grant(bound=str(OWN))
    assert granted(f"{OWN}", QUEUE, READ) == Grant()


@pytest.mark.parametrize(
    "login", ["", "anna", "nobody@example.org", str(OTHER), str(OWN).upper(), f"{{{OWN}}}", "a@\0"]
)
def test_an_unknown_login_may_do_nothing(login: str) -> None:
    questions = [("rpc_global_exchange", EXCHANGE, WRITE), (f"{OWN}", QUEUE, READ)]

    assert not any(granted(*question, login=login) for question in questions)


@pytest.mark.parametrize(
    ("login", "who"),
    [(str(OWN), OWN), ("anna@example.org", "anna@example.org"), (OWN.hex, None), ("anna", None)],
)
def test_a_login_is_an_id_as_we_write_it_or_an_e_mail(login: str, who: object) -> None:
    assert login_of(login) == who


def test_ids_that_overlap_are_all_seen() -> None:
    name = f"{OWN}-1111-2222-3333-444444444444"

    assert ids_in(name) == {OWN, UUID(f"{str(OWN)[-8:]}-1111-2222-3333-444444444444")}


# -- on the real database


@ensureDeferred
async def test_the_database_knows_accounts_devices_and_memberships(people: People) -> None:
    anna, bert = await people.person(), await people.person()
    access, own, other = anna.engine.broker_access, anna.user, bert.user
    login = str(own.account.id)

    async def may(name: str, resource: BrokerResource, as_login: str = login) -> bool:
        question = BrokerQuestion(as_login, resource, name, READ)
        return await access.grant(question, Names()) is not None

    assert await may(f"multi#{own.workspace_id}", EXCHANGE)
    assert await may(f"reply_{own.device_id}", QUEUE)
    assert await may(f"reply_{own.device_id}", QUEUE, own.account.email)
    assert not await may(f"multi#{other.workspace_id}", EXCHANGE)
    assert not await may(f"reply_{other.device_id}", QUEUE)
    assert not await may(f"reply_{own.device_id}", QUEUE, own.account.email.upper())
    assert not await may(f"reply_{own.device_id}", QUEUE, str(uuid4()))


@ensureDeferred
async def test_the_queue_of_a_revoked_device_is_nobodys(people: People) -> None:
    anna = await people.person()
    access, device_id = anna.engine.broker_access, anna.user.device_id
    question = BrokerQuestion(anna.user.account.email, QUEUE, f"reply_{device_id}", READ)
    assert await access.grant(question, Names()) is not None

    await anna.engine.devices.revoke(anna.principal, device_id)

    assert await access.grant(question, Names()) is None
    assert await access.account_of(anna.user.account.email) == anna.user.account.id
