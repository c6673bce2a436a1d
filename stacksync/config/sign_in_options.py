"""The options about signing in: passwords, tokens, applications.

Declared like those in ``options``, where the whole configuration is put together.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from stacksync.config import addresses, values
from stacksync.config.declaration import option


@frozen
class AuthConfig:
    """Signing in with a password."""

    passwords: Literal["local", "keystone"] = option(
        values.choice("local", "keystone"),
        "local",
        "Who knows the passwords. local: this service's database. keystone: Keystone, whose "
        "tokens are taken as well (X-Auth-Token).",
    )
    password_min: int = option(
        values.whole(1, 128),
        8,
        "How many characters a new password has at least. The commonest ones are refused besides.",
    )
    argon2_time_cost: int = option(
        values.whole(1, 1000), 3, "Argon2: passes over the memory for a new password hash."
    )
    argon2_memory: int = option(
        values.size(minimum=8192, maximum=4 * 1024**3),
        64 * 1024**2,
        "Argon2: memory for each hash that is being computed.",
    )
    argon2_parallelism: int = option(
        values.whole(1, 64),
        1,
        "Argon2: lanes for each hash. Hashes made with other parameters are made anew at the next "
        "sign-in.",
    )
    hash_threads: int = option(
        values.whole(1, 64),
        2,
        "How many passwords are checked at the same time. Of two or more threads, one is left to "
        "those who have signed in before.",
    )
    credential_cache: float = option(
        values.duration(minimum=0.0),
        60.0,
        "How long a password or token that was right need not be looked up again; 0s: always "
        "look. What is changed or revoked here is forgotten at once all the same.",
    )
    failure_delay: float = option(
        values.duration(minimum=0.0, maximum=60.0),
        0.5,
        "How long the answer to a wrong password is held back; twice as long each time, up to 8 s.",
    )


@frozen
class TokensConfig:
    """What devices keep instead of the password."""

    lifetime: float = option(
        values.duration(minimum=60.0, maximum=3650 * values.ONE_DAY),
        365 * values.ONE_DAY,
        "How long a device's token lasts, unless who makes it wants less.",
    )
    max_per_account: int = option(
        values.whole(1, 100_000), 200, "How many tokens an account may have at a time."
    )


@frozen
class OAuthConfig:
    """Applications that act for people (OAuth 1.0a)."""

    request_expire: float = option(
        values.duration(minimum=10.0, maximum=86400.0),
        600.0,
        "How long a person may take to allow an application what it asks for.",
    )
    access_expire: float = option(
        values.duration(minimum=0.0, maximum=3650 * values.ONE_DAY),
        0.0,
        "How long an application may act for a person who has allowed it; 0s: until it is revoked.",
    )
    clock_skew: float = option(
        values.duration(minimum=1.0, maximum=3600.0),
        300.0,
        "How far the timestamp of a signed request may be from our own clock.",
    )
    public_url: str = option(
        addresses.http_url(),
        "",
        "Where applications find this service, if that is not what their requests say "
        "(Host): https://cloud.example.org. Behind a proxy that changes it, signatures need this.",
    )
