"""The options about the broker: where it is, and how it asks us.

Declared like those in ``options``, where the whole configuration is put together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import frozen

from stacksync.config import addresses, values
from stacksync.config.declaration import option, secret, secret_url


@frozen
class AmqpConfig:
    """The AMQP front-end (ObjectMQ over RabbitMQ)."""

    url: str = secret_url(
        addresses.broker_url(),
        "auto",
        "auto: start a private broker, which asks this service whom it may let in, if RabbitMQ is "
        "installed; else join the one on 127.0.0.1:5672 if it answers, else do without; off: no "
        "AMQP; or amqp://user:password@host:5672/vhost; amqps://…:5671/… for TLS.",
    )
    ca_file: Path = option(
        values.optional_file(),
        Path(),
        "amqps: the certificates (PEM) that the broker's is signed with. Empty: those that this "
        "machine trusts.",
    )
    certificate: Path = option(
        values.optional_file(),
        Path(),
        "amqps: our own certificate with its chain (PEM), for a broker that asks for one.",
    )
    key: Path = option(values.optional_file(), Path(), "amqps: the key of that certificate (PEM).")
    auth_listen: str = option(
        addresses.listening_endpoint(),
        "off",
        "Where RabbitMQ asks us whom it may let in, and to what (rabbitmq_auth_backend_http): an "
        "endpoint such as tcp:8089:interface=127.0.0.1, or an ssl: one; off: it does not. A "
        "private broker does without being told here.",
    )
    auth_secret: str = secret(
        values.text(),
        "",
        "What RabbitMQ shows us, as ?secret=… at the end of each of its auth_http paths. Without "
        "it, auth_listen has to be on loopback.",
    )
    auth_cache: float = option(
        values.duration(minimum=0.0, maximum=600.0),
        0.0,
        "How long RabbitMQ remembers our answers: auth_cache.cache_ttl of its settings; 0s: it "
        "has no such cache.",
    )
    management_url: str = secret_url(
        addresses.management_url(),
        "",
        "RabbitMQ's management API, by which connections are closed when somebody may do less: "
        "http://user:password@host:15672. The user needs the tag administrator. Empty: they "
        "stay as long as the device wants.",
    )
    management_ca_file: Path = option(
        values.optional_file(),
        Path(),
        "The certificates (PEM) that the management API's is signed with. Empty: those that this "
        "machine trusts.",
    )
    identity: Literal["broker", "message"] = option(
        values.choice("broker", "message"),
        "broker",
        "Who a request comes from. broker: the user_id property, which the broker has checked "
        "against the login. message: the userId in the message, which anybody can write; only "
        "for a broker that none but trusted parties reach.",
    )
    durable: bool = option(
        values.flag(),
        False,
        "Whether the request exchange and queue outlive a restart of the broker. Old clients "
        "declare the exchange as not durable and are refused where it is.",
    )
    request_exchange: str = option(
        values.amqp_name(), "rpc_global_exchange", "The exchange that clients send requests to."
    )
    request_queue: str = option(
        values.amqp_name(),
        "ISyncService",
        "The queue that all instances take requests from; also its routing key.",
    )
    dead_letter_queue: str = option(
        values.amqp_name(),
        "ISyncService.dead-letter",
        "Where messages go that can't be processed, with the reason.",
    )
    dead_letter_max: int = option(
        values.whole(1, 2**31 - 1),
        10_000,
        "How many dead letters are kept; the oldest go first.",
    )
    prefetch: int = option(
        values.whole(1, 65535),
        256,
        "How many requests this instance works at, at the same time.",
    )
    account_in_flight: int = option(
        values.whole(1, 65535),
        64,
        "How many of those may be of one account; its further ones wait for them, and others' "
        "are done meanwhile.",
    )
    backlog: int = option(
        values.whole(0, 65535),
        2048,
        "How many requests beyond those are taken from the broker, to look for ones of other "
        "accounts among them.",
    )
    max_message: int = option(
        values.size(minimum=4096, maximum=512 * 1024**2),
        8 * 1024**2,
        "The largest request; a larger one becomes a dead letter.",
    )
    heartbeat: float = option(
        values.duration(minimum=1.0, maximum=65535.0),
        30.0,
        "How often the broker and this instance assure each other that they are there.",
    )

    @property
    def asks(self) -> bool:
        """Whether the broker asks us, so that what it has been told has to be taken back."""
        return self.url == "auto" or self.auth_listen != "off"
