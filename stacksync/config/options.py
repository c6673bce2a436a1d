"""Every option of the service, declared once: default, sort of value and help.

Those of each part are in a module of its own beside this one (``http_options``,
``broker_options``, …).  The parser, the commented example and the tests are all
derived from these classes.  A bare
``Config()`` is all defaults.  Values of type ``float`` are seconds, sizes are
bytes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from attrs import Factory, evolve, field, frozen

from stacksync.config import addresses, values
from stacksync.config.broker_options import AmqpConfig
from stacksync.config.content_options import (
    ContentConfig,
    RetentionConfig,
    StorageConfig,
    UploadsConfig,
)
from stacksync.config.declaration import option, secret_url
from stacksync.config.http_options import HttpConfig
from stacksync.config.limits_options import LimitsConfig
from stacksync.config.openstack_options import KeystoneConfig
from stacksync.config.sharing_options import JobsConfig, SharingConfig
from stacksync.config.sign_in_options import AuthConfig, OAuthConfig, TokensConfig


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
    tokens: TokensConfig = field(factory=TokensConfig)
    oauth: OAuthConfig = field(factory=OAuthConfig)
    limits: LimitsConfig = field(factory=LimitsConfig)
    log: LogConfig = field(factory=LogConfig)

    @classmethod
    def embedded(cls, home: Path) -> Config:
        """The settings for a service that brings its own parts and serves this machine alone."""
        defaults = cls()
        return evolve(
            defaults,
            service=evolve(defaults.service, home=home),
            database=evolve(defaults.database, url="embedded"),
            amqp=evolve(defaults.amqp, url="auto"),
        )
