"""Who an AMQP request comes from, when the broker vouches for it (``amqp.identity = broker``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import UUID

import pika.exceptions
import pytest

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.answers import Refused
from tests.integration.clients.http_device import HttpDevice
from tests.integration.clients.items import new_file
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.people import People
from tests.servers.rabbitmq import RabbitServer
from tests.servers.stacksync import KnownUser, StackSyncProcess

LogIn = Callable[..., AmqpDevice]


@pytest.fixture(scope="module")
def module_vhost(rabbitmq: RabbitServer) -> Iterator[str]:
    with rabbitmq.vhost() as vhost:
        yield vhost


@pytest.fixture(scope="module")
def server(
    module_fleet: Fleet, module_database_dsn: str, rabbitmq: RabbitServer, module_vhost: str
) -> StackSyncProcess:
    """A server that believes the broker only."""
    return module_fleet.start(
        module_database_dsn, rabbitmq.url(module_vhost), amqp={"identity": "broker"}
    )


@pytest.fixture
def log_in(rabbitmq: RabbitServer, module_vhost: str) -> Iterator[LogIn]:
    """Connects a device under a login of the broker's: ``log_in(user, login)``.

    ``user_id`` is what it puts into the property, the login unless told otherwise.
    """
    logins: set[str] = set()
    with ExitStack() as stack:

        def connect(user: KnownUser, login: str, user_id: str | None = "") -> AmqpDevice:
            if login not in logins:
                rabbitmq.add_user(login, "secret", module_vhost)
                stack.callback(rabbitmq.delete_user, login)
                logins.add(login)
            url = rabbitmq.url(module_vhost, login, "secret")
            device = AmqpDevice(url, user, login if user_id == "" else user_id)
            stack.callback(device.close)
            return device

        yield connect


@pytest.mark.parametrize("kind", ["account id", "e-mail", "e-mail in capitals"])
def test_a_login_is_an_account_by_its_id_or_its_e_mail(
    kind: str, user: KnownUser, log_in: LogIn
) -> None:
    logins = {
        "account id": str(user.id),
        "e-mail": user.email,
        "e-mail in capitals": user.email.upper(),
    }
    laptop = log_in(user, logins[kind])

    laptop.register()
    laptop.listen()
    answer = laptop.commit(new_file())

    assert laptop.changes(since=0) == [answer.item]
    assert laptop.account()["id"] == str(user.id)


def test_the_message_need_not_say_who_sent_it(user: KnownUser, log_in: LogIn) -> None:
    laptop = log_in(user, user.email)

    (workspace,) = laptop.call("getWorkspaces", userId=None)

    assert workspace["owner"]["id"] == str(user.id)


def test_a_message_in_anothers_name_is_refused(
    user: KnownUser, people: People, log_in: LogIn
) -> None:
    victim = people.add()
    intruder = log_in(victim, user.email)

    for operation in (intruder.workspaces, intruder.register):
        with pytest.raises(Refused, match="userId is not the account that sent") as refused:
            operation()
        assert refused.value.kind == "UserNotFoundException"


def test_a_message_without_the_property_is_refused(user: KnownUser, log_in: LogIn) -> None:
    laptop = log_in(user, user.email, user_id=None)

    with pytest.raises(Refused, match="no user_id property"):
        laptop.workspaces()


def test_the_broker_itself_refuses_a_forged_property(
    user: KnownUser, people: People, log_in: LogIn
) -> None:
    victim = people.add()
    intruder = log_in(victim, user.email, user_id=victim.email)
    intruder.confirm_publishing()

    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="PRECONDITION_FAILED"):
        intruder.workspaces()


@pytest.mark.parametrize("login", ["nobody@example.org", str(UUID(int=1)), "somebody"])
def test_a_login_that_is_no_account_is_refused(login: str, user: KnownUser, log_in: LogIn) -> None:
    laptop = log_in(user, login)

    with pytest.raises(Refused) as refused:
        laptop.register()

    assert refused.value.kind == "UserNotFoundException"


def test_the_others_account_cannot_be_asked_for(
    user: KnownUser, people: People, log_in: LogIn
) -> None:
    victim = people.add()
    laptop = log_in(user, user.email)

    with pytest.raises(Refused, match="no such account"):
        laptop.call("getAccountInfo", userId=None, email=victim.email)


def test_devices_on_both_protocols_are_one_users(
    user: KnownUser, server: StackSyncProcess, log_in: LogIn
) -> None:
    laptop, phone = log_in(user, user.email), HttpDevice(server.http_url, user)
    laptop.register()
    laptop.listen()
    phone.register()

    answer = phone.commit(new_file())

    assert laptop.next_notification().answer == answer
    phone.close()
