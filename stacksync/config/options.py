"""Every option of the service, declared once: default, sort of value and help.

Those about the content of files are in ``content_options``, those about sharing
in ``sharing_options``, about OpenStack in ``openstack_options``.  The parser, the
commented example and the tests are all derived from these classes.  A bare
``Config()`` is all defaults.  Values of type ``float`` are seconds, sizes are
bytes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from attrs import Factory, evolve, field, frozen

from stacksync.config import addresses, values
from stacksync.config.content_options import (
    ContentConfig,
    RetentionConfig,
    StorageConfig,
    UploadsConfig,
)
from stacksync.config.declaration import option, secret_url
from stacksync.config.openstack_options import KeystoneConfig
from stacksync.config.sharing_options import JobsConfig, SharingConfig


def default_home() -> Path:
    """Where state is kept unless told otherwise.

    ``STACKSYNC_HOME``, else ``stacksync`` in the XDG data directory; for root,
    whose home directory the servers' own user cannot enter, ``/var/lib/stacksync``.
    """
    chosen = os.environ.get("STACKSYNC_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME", "")
    # The XDG base directory specification: a relative path is to be ignored.
    if os.path.isabs(data):
        return Path(data) / "stacksync"
    base = "/var/lib" if os.geteuid() == 0 else "~/.local/share"
    return Path(base).expanduser() / "stacksync"


@frozen
class ServiceConfig:
    """The process as a whole."""

    home: Path = option(
        values.directory(),
        Factory(default_home),
        "The directory for all state that is kept on this machine. Default: $STACKSYNC_HOME, "
        "else stacksync in the XDG data directory; for root /var/lib/stacksync.",
        shown_default="~/.local/share/stacksync",
    )
    stop_timeout: float = option(
        values.duration(),
        10.0,
        "How long a stop waits for requests in flight before it gives them up.",
    )
    hint_gather: float = option(
        values.duration(maximum=10.0),
        0.015,
        "How long commits are gathered before the other instances are told of them in one go.",
    )
    sweep_interval: float = option(
        values.duration(),
        10.0,
        "How often recent commits are looked over for ones that nobody has been told of.",
    )


@frozen
class DatabaseConfig:
    """PostgreSQL."""

    url: str = secret_url(
        addresses.database_url(),
        "embedded",
        "embedded: a private PostgreSQL under home (needs the extra 'embedded'); "
        "or postgresql://user:password@host:5432/database.",
    )
    pool_size: int = option(
        values.whole(1, 1000),
        4,
        "How many connections are kept open; a few more than the cores of the database are enough.",
    )
    statement_timeout: float = option(
        values.duration(), 30.0, "How long one statement may run before the database ends it."
    )
    wait_timeout: float = option(
        values.duration(),
        10.0,
        "How long a request waits for a connection before it is told to come again later.",
    )


@frozen
class AmqpConfig:
    """The AMQP front-end (ObjectMQ over RabbitMQ)."""

    url: str = secret_url(
        addresses.broker_url(),
        "auto",
        "auto: join the broker on 127.0.0.1:5672 if one answers, else start a private one if "
        "RabbitMQ is installed, else do without; off: no AMQP; "
        "or amqp://user:password@host:5672/vhost.",
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
        "How many requests this instance takes from the broker before it has answered them.",
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


@frozen
class HttpConfig:
    """The HTTP front-end."""

    listen: str = option(
        addresses.listening_endpoint(),
        "tcp:8080:interface=127.0.0.1",
        "A Twisted server endpoint, for example tcp:8080, unix:/run/stacksync/http.socket or "
        "ssl:443:privateKey=key.pem:certKey=cert.pem; off: no HTTP.",
    )
    max_body: int = option(values.size(minimum=4096), 8 * 1024**2, "The largest body of a request.")
    max_file: int = option(
        values.size(minimum=0),
        0,
        "The largest file that may be uploaded, whatever its owner's quota; 0: no limit.",
    )
    request_timeout: float = option(
        values.duration(), 60.0, "How long a request may take, from its first byte to its answer."
    )
    event_heartbeat: float = option(
        values.duration(minimum=1.0),
        15.0,
        "How often a silent event stream gets a comment line, so that both ends know of a "
        "broken connection.",
    )
    event_buffer: int = option(
        values.whole(1, 1_000_000),
        256,
        "How many events wait for a slow reader before it is told no more than the newest "
        "revision of each workspace.",
    )
    event_streams_max: int = option(
        values.whole(1, 1_000_000), 10_000, "How many event streams may be open at once."
    )
    metrics: bool = option(
        values.flag(), True, "Whether /metrics shows numbers about this instance (Prometheus)."
    )


@frozen
class AuthConfig:
    """Signing in."""

    passwords: Literal["local", "keystone"] = option(
        values.choice("local", "keystone"),
        "local",
        "Who knows the passwords. local: this service's database. keystone: Keystone, whose "
        "tokens are taken as well (X-Auth-Token).",
    )
    argon2_time_cost: int = option(
        values.whole(1, 1000), 3, "Argon2: passes over the memory for a new password hash."
    )
    argon2_memory: int = option(
        values.size(minimum=8192, maximum=4 * 1024**3),
        64 * 1024**2,
        "Argon2: memory for each hash that is being computed.",
    )
    argon2_parallelism: int = option(values.whole(1, 64), 1, "Argon2: lanes for each hash.")
    hash_threads: int = option(
        values.whole(1, 64), 2, "How many passwords are checked at the same time."
    )
    credential_cache: float = option(
        values.duration(minimum=0.0),
        60.0,
        "How long a password that was right need not be checked again; 0s: always check.",
    )
    failure_delay: float = option(
        values.duration(minimum=0.0, maximum=60.0),
        0.5,
        "How long the answer to a wrong password is held back; twice as long each time, up to 8 s.",
    )


@frozen
class LimitsConfig:
    """What one request may ask for."""

    items_per_commit: int = option(
        values.whole(1, 1_000_000), 5000, "The most items in one commit."
    )
    chunks_per_item: int = option(
        values.whole(1, 10_000_000), 200_000, "The most chunks of one file."
    )


@frozen
class LogConfig:
    """The log, which goes where twistd's own options say."""

    level: Literal["debug", "info", "warn", "error", "critical"] = option(
        values.choice("debug", "info", "warn", "error", "critical"),
        "info",
        "The least grave messages to write: debug, info, warn, error or critical.",
    )


@frozen
class Config:
    """All settings, one attribute per section of the file."""

    service: ServiceConfig = field(factory=ServiceConfig)
    database: DatabaseConfig = field(factory=DatabaseConfig)
    amqp: AmqpConfig = field(factory=AmqpConfig)
    http: HttpConfig = field(factory=HttpConfig)
    storage: StorageConfig = field(factory=StorageConfig)
    keystone: KeystoneConfig = field(factory=KeystoneConfig)
    content: ContentConfig = field(factory=ContentConfig)
    retention: RetentionConfig = field(factory=RetentionConfig)
    uploads: UploadsConfig = field(factory=UploadsConfig)
    sharing: SharingConfig = field(factory=SharingConfig)
    jobs: JobsConfig = field(factory=JobsConfig)
    auth: AuthConfig = field(factory=AuthConfig)
    limits: LimitsConfig = field(factory=LimitsConfig)
    log: LogConfig = field(factory=LogConfig)

    @classmethod
    def embedded(cls, home: Path) -> Config:
        """The settings for a service that brings its own parts and serves this machine alone.

        The broker is reached from loopback only, so a message's word on who
        sent it is believed: nobody has to make logins in it first.
        """
        defaults = cls()
        return evolve(
            defaults,
            service=evolve(defaults.service, home=home),
            database=evolve(defaults.database, url="embedded"),
            amqp=evolve(defaults.amqp, url="auto", identity="message"),
        )
