"""What devices can do at a real RabbitMQ that asks us, and what nobody can.

Set up as ``etc/rabbitmq.conf`` says, cache of answers and all.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import suppress
from uuid import uuid4

import pika
import pika.exceptions
import pytest

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.broker_attempts import (
    ALLOWED,
    DENIED,
    Others,
    ask,
    asked,
    bound,
    make_another,
    shared,
    slip_in_a_lasting_queue,
)
from tests.integration.clients.items import new_file
from tests.integration.permissions.logins import Logins, logins
from tests.integration.permissions.methods import METHODS, expected_of, who_may
from tests.integration.surroundings.asking_broker import (
    PASSWORD,
    WITHIN,
    Client,
    Stage,
    asking_broker,
)
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import until
from tests.integration.surroundings.people import People
from tests.servers.run import TestRun
from tests.servers.stacksync import KnownUser

REMEMBERS = 1.0


@pytest.fixture(scope="module")
def module_stage(
    test_run: TestRun, module_fleet: Fleet, module_database_dsn: str
) -> Iterator[Stage]:
    directory = test_run.new_directory("asking-broker")
    with asking_broker(directory, module_fleet, module_database_dsn, REMEMBERS) as stage:
        yield stage


@pytest.fixture
def stage(module_stage: Stage) -> Iterator[Stage]:
    yield module_stage
    module_stage.close()


@pytest.fixture
def people(module_stage: Stage) -> People:
    return module_stage.people


@pytest.fixture
def client(stage: Stage, user: KnownUser) -> Client:
    """A device of ``user`` that tries things."""
    return stage.client(stage.token(user))


@pytest.fixture(scope="module")
def victim(module_stage: Stage) -> Iterator[AmqpDevice]:
    """Somebody else's device at work, with a response queue that others can know the name of."""
    with module_stage.somebody_at_work() as device:
        module_stage.operator().channel().queue_declare(f"reply_{device.id}")
        yield device


@pytest.fixture(scope="module")
def around_a_folder(module_stage: Stage) -> Iterator[Logins]:
    with logins(module_stage) as found:
        yield found


@pytest.mark.parametrize("by", ["id", "email"])
def test_a_device_does_its_work(by: str, stage: Stage, user: KnownUser) -> None:
    token = stage.token(user)
    laptop = stage.laptop(token, by=by)

    laptop.register()
    laptop.listen()
    answer = laptop.commit(new_file())

    assert laptop.changes(since=0) == [answer.item]
    assert laptop.account()["id"] == str(user.id)


def test_a_device_comes_by_tls(stage: Stage, user: KnownUser) -> None:
    token = stage.token(user)
    context = ssl.create_default_context(cafile=str(stage.ca_file))
    parameters = pika.ConnectionParameters(
        "127.0.0.1",
        stage.tls_port,
        credentials=pika.PlainCredentials(str(user.id), token.secret),
        ssl_options=pika.SSLOptions(context, "127.0.0.1"),
        heartbeat=0,
    )

    with pika.BlockingConnection(parameters) as connection:
        assert connection.channel().queue_declare("", exclusive=True).method.queue


def test_an_old_client_is_known_by_its_own_exchange(stage: Stage, client: Client) -> None:
    exchange, queue = f"rpc#{client.token.user.id}", f"reply_{client.token.device_id}"
    channel = client.connection.channel()
    # As old clients do, who believe that they may be the first.
    channel.exchange_declare(exchange, "direct")
    channel.queue_declare(queue, exclusive=True, auto_delete=True)

    told = asked(channel, exchange, queue, "getWorkspaces", userId=str(client.token.user.id))

    assert [each["owner"]["id"] for each in told["result"]] == [str(client.token.user.id)]


def test_who_names_somebody_else_in_his_own_exchange_is_refused(
    stage: Stage, client: Client, victim: AmqpDevice
) -> None:
    exchange, queue = f"rpc#{client.token.user.id}", f"reply_{client.token.device_id}"
    channel = client.connection.channel()
    channel.queue_declare(queue, exclusive=True)

    told = asked(channel, exchange, queue, "getWorkspaces", userId=str(victim.user.id))

    assert told["error"]["type"].endswith("UserNotFoundException")


def test_nobody_has_an_answer_delivered_to_somebody_else(
    stage: Stage, client: Client, victim: AmqpDevice
) -> None:
    channel = client.connection.channel()
    theirs, identity = f"reply_{victim.id}", str(uuid4())

    ask(channel, f"rpc#{client.token.user.id}", theirs, "getWorkspaces", identity)

    assert "reply_to" in stage.buried(identity)["x-reason"]
    assert stage.operator().channel().basic_get(theirs)[0] is None


@pytest.mark.parametrize("spoiled", [False, True])
def test_members_hear_of_each_others_commits(spoiled: bool, stage: Stage, people: People) -> None:
    anna, bert = (stage.laptop(stage.token(people.add())) for _ in range(2))
    workspace, _ = shared(anna, bert)
    if spoiled:
        make_another(stage.client(stage.token(anna.user)), f"multi#{workspace}")
    bert.listen()
    anna.listen()

    anna.commit(new_file(), workspace_id=workspace)

    assert bert.next_notification(WITHIN).workspace_id == workspace


@pytest.mark.parametrize("attempt", ALLOWED)
def test_a_device_may(attempt: str, client: Client, victim: AmqpDevice) -> None:
    assert client.may(lambda channel: ALLOWED[attempt](channel, Others(client, victim)))


@pytest.mark.parametrize("attempt", DENIED)
def test_a_device_may_not(attempt: str, client: Client, victim: AmqpDevice) -> None:
    assert not client.may(lambda channel: DENIED[attempt](channel, Others(client, victim)))


@pytest.mark.parametrize("method", METHODS)
def test_who_has_logged_in_may_do_what_its_role_may(method: str, around_a_folder: Logins) -> None:
    assert who_may(around_a_folder.folder, method, around_a_folder.call) == expected_of(method)


def test_nobody_can_say_that_he_is_somebody_else(client: Client, victim: AmqpDevice) -> None:
    channel = client.connection.channel()
    channel.confirm_delivery()
    spoofed = pika.BasicProperties(user_id=str(victim.user.id))

    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as refused:
        channel.basic_publish("rpc_global_exchange", "ISyncService", b"{}", spoofed)

    assert refused.value.reply_code == 406


@pytest.mark.parametrize(
    "kind", ["the password", "no token", "another's", "for reading", "revoked", "of another case"]
)
def test_without_a_token_of_its_own_nobody_logs_in(
    kind: str, stage: Stage, user: KnownUser, victim: AmqpDevice, people: People
) -> None:
    login, secret = str(user.id), f"stk_{'x' * 43}"
    if kind == "the password":
        secret = user.password
    elif kind == "another's":
        secret = stage.token(people.add()).secret
    elif kind == "for reading":
        secret = stage.token(user, scope="read-only").secret
    elif kind == "revoked":
        secret = (token := stage.token(user)).secret
        stage.revoke(token)
    elif kind == "of another case":
        login, secret = login.upper(), stage.token(user).secret
        assert login != str(user.id)

    with pytest.raises(pika.exceptions.ProbableAuthenticationError):
        stage.connect(login, secret)


def test_the_operator_is_told_that_it_asks_and_does_not_let_guest_in(stage: Stage) -> None:
    told = stage.server.admin("check")
    assert told["problems"] == told["unknown"] == []
    assert len([note for note in told["notes"] if note.startswith("broker: ")]) == 4
    with pytest.raises(pika.exceptions.ProbableAuthenticationError):
        stage.connect("guest", "guest")


def test_an_expired_token_ends_the_connection(stage: Stage, user: KnownUser) -> None:
    # Enough to log in with, however slow the machine is at the moment.
    token = stage.token(user, expires_in=5)
    client = stage.client(token)

    assert client.is_ended()

    stage.until_refused(str(user.id), token.secret)


@pytest.mark.parametrize("by", ["id", "email"])
def test_a_revoked_token_ends_the_connection(by: str, stage: Stage, user: KnownUser) -> None:
    token = stage.token(user)
    login = str(user.id) if by == "id" else user.email
    client = Client(stage.connect(login, token.secret), token)

    stage.revoke(token)

    assert client.is_ended()
    stage.until_refused(login, token.secret)


def test_after_an_unshare_there_is_silence(stage: Stage, people: People) -> None:
    anna, bert = (stage.laptop(stage.token(people.add())) for _ in range(2))
    workspace, folder = shared(anna, bert)
    anna.listen()
    bert.listen()
    mole = Client(bert._connection, stage.token(bert.user))
    kept = f"kept-{bert.user.id}"
    slip_in_a_lasting_queue(mole, kept, f"multi#{workspace}")

    anna.call("unshare", itemId=folder, emails=[bert.user.email])

    assert mole.is_ended()
    token = stage.token(bert.user)

    def may_listen() -> bool:
        try:
            return stage.client(token).may(lambda channel: bound(channel, f"multi#{workspace}"))
        except pika.exceptions.AMQPConnectionError:
            # As long as the broker remembers, he may come back, but is sent away once more.
            return True

    until(lambda: not may_listen(), "the ex-member may listen no more")
    until(lambda: not stage.has_queue(kept), "what he has left is removed")


def test_queues_of_clients_are_bounded_whatever_they_declare(stage: Stage, client: Client) -> None:
    queue = f"reply_{client.token.device_id}"
    channel = client.connection.channel()
    for kind in ("classic", "quorum", "stream"):
        channel.queue_declare(f"{queue}.{kind}", durable=True, arguments={"x-queue-type": kind})

    every = {"expires", "max-length", "max-length-bytes", "message-ttl"}
    assert stage.bounds(f"{queue}.classic") == stage.bounds(f"{queue}.quorum") == every
    assert stage.bounds(f"{queue}.stream") == {"max-length-bytes"}
    # Each may be as large as a request, and there may be thousands.
    assert stage.bounds("ISyncService.dead-letter") == {"max-length-bytes"}
    assert not stage.bounds("ISyncService")


def test_no_token_is_in_any_log(stage: Stage, user: KnownUser) -> None:
    token = stage.token(user)
    stage.client(token)
    with suppress(pika.exceptions.AMQPError):
        stage.connect("anybody", token.secret)

    logs = stage.server.log_text() + stage.rabbit.node.log.read_text(errors="replace")

    assert token.secret not in logs
    assert PASSWORD not in logs
