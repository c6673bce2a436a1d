"""Settings that are each right and yet can't stand together.

A value by itself is checked where it is read; the world outside (does the
host answer?) is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from stacksync.config.options import Config

Key = tuple[str, str]
Contradiction = tuple[Key, tuple[Key, ...], str]

_BYTES_PER_LANE = 8 * 1024

_LOOPBACK = re.compile(
    r"tcp6?:(?:port=)?[0-9]+:(?:.*:)?interface=(?:127\.0\.0\.1|localhost|\\:\\:1)(?::.*)?|unix:.*"
)


def contradictions(config: Config) -> Iterator[Contradiction]:
    """Each as the option at fault, the options that it is at odds with, and the problem.

    An option is named by its section and name.
    """
    if config.http.listen == "off" and config.amqp.url == "off":
        yield (
            ("http", "listen"),
            (("amqp", "url"),),
            "[amqp] url is off too, so there is nothing to serve",
        )
    if config.amqp.dead_letter_queue == config.amqp.request_queue:
        yield (
            ("amqp", "dead_letter_queue"),
            (("amqp", "request_queue"),),
            "is the request queue itself, so a dead letter would be a request for ever",
        )
    for section, certificate, key in (
        ("http", config.http.certificate, config.http.key),
        ("amqp", config.amqp.certificate, config.amqp.key),
    ):
        if (certificate == Path()) != (key == Path()):
            yield (
                (section, "certificate"),
                ((section, "key"),),
                "certificate and key are both needed, or neither",
            )
    if config.http.certificate != Path() and config.http.listen.startswith("ssl:"):
        yield (
            ("http", "certificate"),
            (("http", "listen"),),
            "an ssl: endpoint names its certificate itself; write tcp: there",
        )
    if not config.amqp.url.startswith("amqps:"):
        for name in ("ca_file", "certificate"):
            if getattr(config.amqp, name) != Path():
                yield (
                    ("amqp", name),
                    (("amqp", "url"),),
                    "is for a broker that is reached by TLS; write amqps:// in [amqp] url",
                )
    listen = config.amqp.auth_listen
    if listen != "off" and not config.amqp.auth_secret and not _LOOPBACK.fullmatch(listen):
        yield (
            ("amqp", "auth_listen"),
            (("amqp", "auth_secret"),),
            "is not on loopback only, and so needs [amqp] auth_secret",
        )
    if config.amqp.auth_listen != "off" and config.amqp.identity == "message":
        yield (
            ("amqp", "identity"),
            (("amqp", "auth_listen"),),
            "message believes anybody, though the broker asks us who is who; write broker",
        )
    lanes = config.auth.argon2_parallelism
    # RFC 9106, section 3.1: at least 8 KiB of memory per lane.
    if config.auth.argon2_memory < lanes * _BYTES_PER_LANE:
        yield (
            ("auth", "argon2_memory"),
            (("auth", "argon2_parallelism"),),
            f"{lanes} lanes need at least {lanes * _BYTES_PER_LANE // 1024}K",
        )
    keystone = config.keystone
    if not keystone.url:
        for (section, name), value in {
            ("storage", "url"): config.storage.url,
            ("auth", "passwords"): config.auth.passwords,
        }.items():
            if value in ("swift", "keystone"):
                yield (
                    (section, name),
                    (("keystone", "url"),),
                    f"{value} needs [keystone] url, which is empty",
                )
    elif not keystone.password and not keystone.application_credential_secret:
        yield (
            ("keystone", "url"),
            (("keystone", "password"), ("keystone", "application_credential_secret")),
            "needs [keystone] password, or an application credential",
        )
    elif bool(keystone.application_credential_id) != bool(keystone.application_credential_secret):
        yield (
            ("keystone", "application_credential_id"),
            (("keystone", "application_credential_secret"),),
            "an application credential has both an id and a secret",
        )
