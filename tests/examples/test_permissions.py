"""A login that may do no more than docs/amqp.rst says is enough, and hears nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pika
import pika.exceptions
import pytest

from tests.examples.conftest import NewPerson
from tests.examples.running import Person
from tests.servers.rabbitmq import RabbitServer

DOCUMENT = Path(__file__).parents[2] / "docs" / "amqp.rst"


def documented_permissions(account_id: str, workspace_id: str) -> list[str]:
    """The patterns for configure, write and read in the command that docs/amqp.rst shows."""
    lines = DOCUMENT.read_text().splitlines()
    (first,) = (number for number, line in enumerate(lines) if "set_permissions" in line)
    patterns = [line.strip(" \\'") for line in lines[first + 1 : first + 4]]
    return [
        each.replace("ACCOUNT", account_id).replace("WORKSPACE", workspace_id) for each in patterns
    ]


def permit(rabbitmq: RabbitServer, person: Person, vhost: str) -> None:
    workspace_id = person.workspace()["id"]
    patterns = documented_permissions(str(person.user.id), workspace_id)
    terms = ", ".join(f'<<"{each}">>' for each in (person.user.email, vhost, *patterns, "test"))
    rabbitmq.evaluate(f"ok = rabbit_auth_backend_internal:set_permissions({terms})")


@pytest.fixture
def channel(person: Person) -> Iterator[pika.channel.Channel]:
    connection = pika.BlockingConnection(pika.URLParameters(person.amqp_url))
    yield connection.channel()
    connection.close()


@pytest.fixture
def limited(person: Person, rabbitmq: RabbitServer, module_vhost: str) -> Person:
    permit(rabbitmq, person, module_vhost)
    return person


def test_it_is_enough_to_commit_and_to_watch(limited: Person, tree: Path) -> None:
    watch = limited.watch("amqp", "--once", "1")
    watch.wait_for("is at revision 0")

    assert limited.commit_tree(tree, "amqp").status == 0
    assert watch.end().status == 0


def test_nobody_elses_notifications_can_be_listened_to(
    limited: Person, new_person: NewPerson, channel: pika.channel.Channel
) -> None:
    other = new_person()
    other.watch("amqp", "--once", "0").end()  # so that the exchange is there
    queue = channel.queue_declare("", exclusive=True).method.queue

    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        channel.queue_bind(queue, f"multi#{other.workspace()['id']}")


@pytest.mark.parametrize("exchange", ["", "multi#ACCOUNT"])
def test_nobody_can_be_told_what_the_server_has_not_said(
    limited: Person, channel: pika.channel.Channel, exchange: str
) -> None:
    channel.confirm_delivery()
    name = exchange.replace("ACCOUNT", str(limited.user.id))
    if name:
        channel.exchange_declare(name, "fanout")

    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        channel.basic_publish(name, "reply_of_somebody_else", b"{}")


def test_requests_cannot_be_taken_from_the_server(
    limited: Person, channel: pika.channel.Channel
) -> None:
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        channel.basic_get("ISyncService")
