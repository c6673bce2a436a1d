"""On whose behalf a request runs is never the sender's choice, unless the operator says so."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from attrs import define, field
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from stacksync.engine import Engine
from stacksync.errors import AccountNotFound, InvalidRequest, NotAuthenticated, Unavailable
from stacksync.model import Principal, SignIn
from stacksync.protocols.amqp import identity as module
from stacksync.protocols.amqp.identity import REMEMBERED_FOR, BrokerIdentity, MessageIdentity
from tests.protocols.amqp.requests import deliver

ANNA, BERT = UUID(int=1), UUID(int=2)


@define(frozen=True)
class Found:
    id: UUID


@define
class Directory:
    """Stands for the accounts, as slow as the test likes."""

    known: dict[str, UUID] = field(factory=lambda: {"anna@example.org": ANNA})
    asked: list[str] = field(factory=list)
    waiting: list[Deferred[None]] = field(factory=list)
    slow: bool = False

    async def by_email(self, email: str) -> Found:
        self.asked.append(email)
        if self.slow:
            self.waiting.append(Deferred())
            await self.waiting[-1]
        if email not in self.known:
            raise AccountNotFound(email)
        return Found(self.known[email])


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def broker_identity(clock: Clock, directory: Directory) -> BrokerIdentity:
    accounts: Any = directory
    return BrokerIdentity(clock, accounts)


# -- amqp.identity = broker


@pytest.mark.parametrize("fields", [{}, {"userId": str(ANNA)}, {"userId": None}])
@pytest.mark.parametrize("login", [str(ANNA), "anna@example.org"])
@ensureDeferred
async def test_the_login_that_the_broker_checked_decides(
    broker_identity: BrokerIdentity, login: str, fields: dict[str, Any]
) -> None:
    principal = await broker_identity.principal(deliver(b"", user_id=login), fields)

    assert principal == Principal(ANNA, SignIn.BROKER)


@ensureDeferred
async def test_a_message_without_a_login_is_nobodys(broker_identity: BrokerIdentity) -> None:
    with pytest.raises(NotAuthenticated, match="no user_id property"):
        await broker_identity.principal(deliver(b""), {"userId": str(ANNA)})


@pytest.mark.parametrize("login", [None, str(ANNA), "anna@example.org"])
@ensureDeferred
async def test_the_exchange_that_only_one_account_may_write_to_decides(
    clock: Clock, directory: Directory, login: str | None
) -> None:
    accounts: Any = directory
    asked = BrokerIdentity(clock, accounts, is_asked=True)
    properties = {"user_id": login} if login is not None else {}
    delivery = deliver(b"", exchange=f"rpc#{ANNA}", **properties)

    assert await asked.principal(delivery, {}) == Principal(ANNA, SignIn.BROKER)
    with pytest.raises(NotAuthenticated, match="userId is not the account"):
        await asked.principal(delivery, {"userId": str(BERT)})


@pytest.mark.parametrize(
    ("exchange", "login", "problem"),
    [
        (f"rpc#{ANNA}", str(BERT), "the exchange of the message belongs to"),
        (f"multi#{ANNA}", None, "no user_id property"),
        (f"rpc#{str(ANNA).replace('-', '')}", None, "no user_id property"),
        ("rpc#", None, "no user_id property"),
        ("", None, "no user_id property"),
    ],
)
@ensureDeferred
async def test_an_exchange_names_nobody_else(
    clock: Clock, directory: Directory, exchange: str, login: str | None, problem: str
) -> None:
    accounts: Any = directory
    asked = BrokerIdentity(clock, accounts, is_asked=True)
    properties = {"user_id": login} if login is not None else {}

    with pytest.raises(NotAuthenticated, match=problem):
        await asked.principal(deliver(b"", exchange=exchange, **properties), {})


@ensureDeferred
async def test_where_the_broker_asks_nobody_an_exchange_proves_nothing(
    broker_identity: BrokerIdentity,
) -> None:
    with pytest.raises(NotAuthenticated, match="no user_id property"):
        await broker_identity.principal(deliver(b"", exchange=f"rpc#{ANNA}"), {})


@ensureDeferred
async def test_a_forgotten_login_is_looked_up_anew(
    broker_identity: BrokerIdentity, directory: Directory
) -> None:
    delivery = deliver(b"", user_id="anna@example.org")
    await broker_identity.principal(delivery, {})
    directory.known["anna@example.org"] = BERT

    broker_identity.forget(ANNA)

    assert (await broker_identity.principal(delivery, {})).account_id == BERT


def test_a_login_that_is_forgotten_while_it_is_looked_up_is_looked_up_once_more(
    broker_identity: BrokerIdentity, directory: Directory
) -> None:
    directory.slow = True
    delivery = deliver(b"", user_id="anna@example.org")
    asked = Deferred.fromCoroutine(broker_identity.principal(delivery, {}))
    broker_identity.forget(ANNA)
    directory.waiting[0].callback(None)
    directory.known["anna@example.org"] = BERT

    directory.waiting[1].callback(None)

    assert asked.result == Principal(BERT, SignIn.BROKER)


@pytest.mark.parametrize("login", [str(BERT), "anna@example.org"])
@ensureDeferred
async def test_nobody_acts_for_somebody_else(broker_identity: BrokerIdentity, login: str) -> None:
    with pytest.raises(NotAuthenticated, match="userId is not the account"):
        await broker_identity.principal(deliver(b"", user_id=login), {"userId": str(UUID(int=3))})


@ensureDeferred
async def test_a_user_id_that_is_none_is_refused(broker_identity: BrokerIdentity) -> None:
    with pytest.raises(InvalidRequest, match="userId: must be a UUID"):
        await broker_identity.principal(deliver(b"", user_id=str(ANNA)), {"userId": "anna"})


@ensureDeferred
async def test_an_unknown_login_is_asked_for_every_time(
    broker_identity: BrokerIdentity, directory: Directory
) -> None:
    for _ in range(2):
        with pytest.raises(AccountNotFound):
            await broker_identity.principal(deliver(b"", user_id="bert@example.org"), {})
    directory.known["bert@example.org"] = BERT

    principal = await broker_identity.principal(deliver(b"", user_id="bert@example.org"), {})

    assert principal.account_id == BERT


@ensureDeferred
async def test_a_login_is_remembered_for_a_while(
    broker_identity: BrokerIdentity, directory: Directory, clock: Clock
) -> None:
    delivery = deliver(b"", user_id="anna@example.org")
    await broker_identity.principal(delivery, {})
    clock.advance(REMEMBERED_FOR - 1)
    await broker_identity.principal(delivery, {})
    assert len(directory.asked) == 1

    directory.known["anna@example.org"] = BERT
    clock.advance(2)

    assert (await broker_identity.principal(delivery, {})).account_id == BERT


@ensureDeferred
async def test_no_more_logins_are_remembered_than_may_be(
    broker_identity: BrokerIdentity, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_LOGINS", 2)
    directory.known.update({f"{n}@example.org": uuid4() for n in range(3)})

    for n in (0, 1, 2, 1, 2, 0):
        await broker_identity.principal(deliver(b"", user_id=f"{n}@example.org"), {})

    assert directory.asked == [f"{n}@example.org" for n in (0, 1, 2, 0)]


def test_requests_of_one_login_keep_their_order_while_it_is_looked_up(
    broker_identity: BrokerIdentity, directory: Directory
) -> None:
    directory.slow = True
    order: list[int] = []

    async def ask(number: int) -> None:
        await broker_identity.principal(deliver(b"", user_id="anna@example.org"), {})
        order.append(number)

    for number in range(3):
        Deferred.fromCoroutine(ask(number))
    assert len(directory.asked) == 1
    directory.waiting[0].callback(None)

    assert order == [0, 1, 2]


def test_all_who_wait_are_told_that_it_could_not_be_looked_up(
    broker_identity: BrokerIdentity, directory: Directory
) -> None:
    directory.slow = True
    asked = [
        Deferred.fromCoroutine(
            broker_identity.principal(deliver(b"", user_id="anna@example.org"), {})
        )
        for _ in range(2)
    ]

    directory.waiting[0].errback(Unavailable("database", "restarting"))

    for each in asked:
        each.addErrback(lambda failure: failure.type)
    assert [each.result for each in asked] == [Unavailable, Unavailable]
    directory.slow = False
    again = Deferred.fromCoroutine(
        broker_identity.principal(deliver(b"", user_id="anna@example.org"), {})
    )
    assert again.called


@pytest.mark.parametrize("login", ["\udcff", "x\0y", "", "x" * 255, "{" + str(ANNA) + "}"])
@ensureDeferred
async def test_whatever_the_broker_calls_a_user_it_is_known_or_not(
    engine: Engine, login: str
) -> None:
    broker_identity = BrokerIdentity(Clock(), engine.accounts)

    with pytest.raises(AccountNotFound):
        await broker_identity.principal(deliver(b"", user_id=login), {})


# -- amqp.identity = message


@ensureDeferred
async def test_the_message_decides_where_it_is_trusted(directory: Directory) -> None:
    accounts: Any = directory
    identity = MessageIdentity(accounts)
    delivery = deliver(b"", user_id=str(ANNA))

    assert await identity.principal(delivery, {"userId": str(BERT)}) == Principal(
        BERT, SignIn.MESSAGE
    )
    by_email = await identity.principal(delivery, {"email": "anna@example.org"})
    assert by_email.account_id == ANNA
    both = {"userId": str(BERT), "email": "anna@example.org"}
    assert (await identity.principal(delivery, both)).account_id == BERT


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, InvalidRequest),
        ({"userId": 7}, InvalidRequest),
        ({"userId": None, "email": None}, InvalidRequest),
        ({"email": 7}, InvalidRequest),
        ({"email": "nobody@example.org"}, AccountNotFound),
    ],
)
@ensureDeferred
async def test_a_message_that_names_nobody_is_refused(
    directory: Directory, fields: dict[str, Any], error: type[Exception]
) -> None:
    accounts: Any = directory

    with pytest.raises(error):
        await MessageIdentity(accounts).principal(deliver(b""), fields)
