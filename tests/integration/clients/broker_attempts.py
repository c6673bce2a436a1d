"""What a device tries at the broker: what it may do, and what it may not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pika

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.items import new_folder
from tests.integration.clients.sharing import accept, propose, waiting
from tests.integration.surroundings.asking_broker import WITHIN, Channel, Client

Attempt = Callable[[Channel, "Others"], object]


class Others:
    """What is somebody else's, for an intruder to try."""

    def __init__(self, me: Client, victim: AmqpDevice) -> None:
        self.me = str(me.token.user.id)
        self.my_queue = f"reply_{me.token.device_id}"
        self.victim = str(victim.user.id)
        self.device = victim.id
        self.workspace = victim.workspace
        self.queue = f"reply_{victim.id}"


def bound(
    channel: Channel, exchange: str, key: str = "", *, queue: str = "", exclusive: bool = True
) -> None:
    queue = channel.queue_declare(queue, exclusive=exclusive).method.queue
    channel.queue_bind(queue, exchange, key)


def shared(owner: AmqpDevice, guest: AmqpDevice) -> tuple[str, int]:
    """A folder that both are members of: the workspace that it is, and its id."""
    for device in (owner, guest):
        device.register()
        device.listen()
        assert device.workspace
    folder = owner.commit(new_folder()).item
    propose(owner, folder["id"], guest.user.email)
    (proposal,) = waiting(guest)
    return accept(guest, proposal.id), folder["id"]


def slip_in_a_lasting_queue(client: Client, queue: str, exchange: str) -> None:
    """On a channel that RabbitMQ need not ask about once more, make a queue another one."""
    channel = client.connection.channel()
    channel.queue_declare(queue, exclusive=True)
    channel.queue_bind(queue, exchange)
    channel.queue_delete(queue)
    channel.queue_declare(queue)
    channel.queue_bind(queue, exchange)


def make_another(client: Client, exchange: str) -> None:
    """On a channel that RabbitMQ need not ask about once more, make an exchange useless."""
    channel = client.connection.channel()
    channel.exchange_declare(exchange, "fanout")
    channel.exchange_delete(exchange)
    channel.exchange_declare(exchange, "fanout", internal=True)


def asked(channel: Channel, exchange: str, queue: str, method: str, **fields: Any) -> Any:
    """The response to a request that has no ``user_id``."""
    ask(channel, exchange, queue, method, **fields)
    _, _, body = next(channel.consume(queue, auto_ack=True, inactivity_timeout=WITHIN))
    assert body is not None, "no response"
    return json.loads(body)


def ask(
    channel: Channel, exchange: str, queue: str, method: str, identity: str = "1", **fields: Any
) -> None:
    """Send a request that has no ``user_id``."""
    envelope = {"id": identity, "method": method, "async": False, "params": [fields]}
    properties = pika.BasicProperties(
        app_id="ISyncService", correlation_id=identity, reply_to=queue, type="gson"
    )
    channel.basic_publish(exchange, "ISyncService", json.dumps(envelope).encode(), properties)


def ignored(*_: object) -> None:
    """Takes a delivery."""


ALLOWED: dict[str, Attempt] = {
    "declare a queue with a name of its own": lambda c, o: c.queue_declare(o.my_queue),
    "declare a queue named by the broker": lambda c, o: c.queue_declare("", exclusive=True),
    "declare its own notification exchange": lambda c, o: c.exchange_declare(
        f"multi#{o.me}", "fanout"
    ),
    "declare its own request exchange": lambda c, o: c.exchange_declare(f"rpc#{o.me}", "direct"),
    "bind its queue to its notifications": lambda c, o: bound(c, f"multi#{o.me}"),
    "publish to the request exchange": lambda c, o: c.basic_publish("rpc_global_exchange", "", b""),
    "publish to its own request exchange": lambda c, o: c.basic_publish(f"rpc#{o.me}", "", b""),
}

DENIED: dict[str, Attempt] = {
    "publish into another's notifications": lambda c, o: c.basic_publish(
        f"multi#{o.victim}", "", b"{}"
    ),
    "publish into a workspace's notifications": lambda c, o: c.basic_publish(
        f"multi#{o.workspace}", "", b"{}"
    ),
    "publish into its own notifications": lambda c, o: c.basic_publish(f"multi#{o.me}", "", b"{}"),
    "publish to another's request exchange": lambda c, o: c.basic_publish(
        f"rpc#{o.victim}", "ISyncService", b"{}"
    ),
    "publish into a queue": lambda c, o: c.basic_publish("", o.queue, b"{}"),
    "publish into the request queue": lambda c, o: c.basic_publish("", "ISyncService", b"{}"),
    "publish to a topic exchange": lambda c, o: c.basic_publish("amq.topic", "a.b", b"{}"),
    "hear another's notifications": lambda c, o: bound(c, f"multi#{o.victim}"),
    "hear a workspace it has no part in": lambda c, o: bound(c, f"multi#{o.workspace}"),
    "hear requests": lambda c, o: bound(c, "rpc_global_exchange", "ISyncService"),
    "hear requests of its own exchange": lambda c, o: bound(c, f"rpc#{o.me}", "ISyncService"),
    "consume the request queue": lambda c, o: c.basic_consume("ISyncService", ignored),
    "read dead letters": lambda c, o: c.basic_get("ISyncService.dead-letter"),
    "purge the request queue": lambda c, o: c.queue_purge("ISyncService"),
    "delete the request queue": lambda c, o: c.queue_delete("ISyncService"),
    "delete the request exchange": lambda c, o: c.exchange_delete("rpc_global_exchange"),
    "delete another's notification exchange": lambda c, o: c.exchange_delete(f"multi#{o.victim}"),
    "read another's response queue": lambda c, o: c.basic_get(o.queue),
    "delete another's response queue": lambda c, o: c.queue_delete(o.queue),
    "declare a queue that both could have": lambda c, o: c.queue_declare(
        f"{o.my_queue}.{o.device}"
    ),
    "declare a durable queue": lambda c, o: c.queue_declare("stash", durable=True),
    "declare an exchange": lambda c, o: c.exchange_declare(f"exchange-{o.me}", durable=True),
    "declare a notification exchange for nobody": lambda c, o: c.exchange_declare(
        f"multi#{uuid4()}", "fanout"
    ),
    "have its dead letters delivered to a queue": lambda c, o: c.queue_declare(
        o.my_queue + ".dead",
        arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "ISyncService"},
    ),
    "let an exchange pass on what it has no part in": lambda c, o: c.exchange_bind(
        f"rpc#{o.me}", f"multi#{o.workspace}", "ISyncService"
    ),
    "let others' exchanges hear it": lambda c, o: c.exchange_bind(
        f"multi#{o.victim}", f"multi#{o.me}"
    ),
    "bind a queue that outlives it": lambda c, o: bound(
        c, f"multi#{o.me}", queue=f"{o.my_queue}.kept", exclusive=False
    ),
    "bind a queue with a made-up name that outlives it": lambda c, o: bound(
        c, f"multi#{o.me}", queue="", exclusive=False
    ),
}
