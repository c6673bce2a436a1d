"""The first account of an embedded database, and what a newcomer reads when all is up."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
from pathlib import Path
from typing import Protocol

from attrs import field, frozen

from stacksync.config import default_home
from stacksync.engine import Engine
from stacksync.errors import EmailTaken

EMAIL = "me@localhost"
QUOTA = 5 * 1024**3

_ROOT = Path(__file__).parents[2]
"""Of the source; the examples are there unless this is an installed copy."""

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nobody mistakes one for another
_GROUPS, _GROUP = 4, 4


class Hasher(Protocol):
    """Makes the hash that a password is stored as."""

    async def hash(self, password: str) -> str: ...


@frozen
class OneTimePassword:
    """A password that is shown once and stored nowhere."""

    email: str
    password: str = field(repr=False)


def make_password(at_least: int = 0) -> str:
    """A random password that is easy to read and type: four groups of four, 79 bits.

    :param at_least: characters that it must have; there are more groups then.
    """
    groups = max(_GROUPS, -(-(at_least + 1) // (_GROUP + 1)))
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(groups))


async def first_account(engine: Engine, hasher: Hasher) -> OneTimePassword | None:
    """Create the first account if there is none at all.

    :returns: its password, which nobody can look up later; ``None`` if there
        was an account already.
    """
    if await engine.accounts.list():
        return None
    made = OneTimePassword(EMAIL, make_password())
    hashed = await hasher.hash(made.password)
    try:
        await engine.accounts.create(EMAIL, name="Me", quota_limit=QUOTA, password_hash=hashed)
    except EmailTaken:  # another process that shares the database was quicker
        return None
    return made


def lines(
    *,
    home: Path,
    http_url: str | None,
    amqp_url: str | None,
    amqp_note: str,
    first: OneTimePassword | None,
    settings: Path | None = None,
    takes_tokens: bool = True,
    keeps_passwords: bool = True,
) -> list[str]:
    """What to print when all is up.

    :param http_url: where HTTP listens, without a path (``http://127.0.0.1:8080``); any other
        endpoint as it was configured (``unix:/run/http.socket``).
    :param amqp_url: the broker, without a login, or ``None`` if there is none.
    :param amqp_note: how the broker came about, or why there is none.
    :param first: what :func:`first_account` returned.
    :param settings: the file that the settings were read from, if there is one.
    :param takes_tokens: whether devices log in to the broker with their tokens.
    :param keeps_passwords: whether people sign in with passwords that are kept here.
    """
    told = ["StackSync is up."]
    told.append(f"  HTTP     {http_url or 'is off'}")
    told.append(f"  AMQP     {amqp_url or 'none'} ({amqp_note})")
    told.append(f"  State    {home}")
    if not keeps_passwords:
        told.append("  Account  people sign in with what Keystone knows; for another account:")
        told.append(f"           {_caretaker(home, settings)} user add EMAIL")
        return told
    if first is not None:
        told.append(f"  Account  {first.email}, password {first.password} (shown only this once)")
    else:
        told.append("  Account  the accounts are those of earlier starts; for a new password:")
        told.append(f"           {_caretaker(home, settings)} user passwd {EMAIL}")
    password = first.password if first is not None else "PASSWORD"
    if http_url is not None and not http_url.startswith(("http://", "https://")):
        http_url = None  # neither curl nor the examples know Twisted's words for an endpoint
    commands = _examples(http_url, amqp_url if takes_tokens else None, password)
    if http_url is not None:
        commands.insert(0, f"curl -u {EMAIL}:{password} {http_url}/api/account")
    if commands:
        told += ["Try:", *(f"  {command}" for command in commands)]
    return told


def _examples(http_url: str | None, amqp_url: str | None, password: str) -> list[str]:
    """A pair that watches through one protocol what is committed through the other."""
    examples = _ROOT / "examples"
    # Tokens, which the broker wants to see, are given out by HTTP.
    if http_url is None or not examples.is_dir():
        return []
    by_http = f"--via http --url {http_url} --password {password}"
    by_amqp = f"--via amqp --url {amqp_url} --http-url {http_url} --password {password}"
    python, source = _typed(Path(sys.executable)), _typed(_ROOT / "stacksync")
    return [
        f"{python} {_typed(examples / 'watch.py')} {by_http}",
        f"{python} {_typed(examples / 'commit_tree.py')} {source} "
        + (by_amqp if amqp_url is not None else by_http),
    ]


def _caretaker(home: Path, settings: Path | None) -> str:
    """How to call ``stacksync-admin`` in another terminal, for this very service."""
    beside = Path(sys.executable).with_name("stacksync-admin")
    called = _typed(beside) if beside.exists() else beside.name
    # Without the variable, which the other terminal need not have, it would look elsewhere.
    chosen = "STACKSYNC_HOME" in os.environ and home == default_home()
    place = f"STACKSYNC_HOME={shlex.quote(str(home))} " if chosen else ""
    return f"{place}{called}" + (f" -c {shlex.quote(_typed(settings))}" if settings else "")


def _typed(path: Path) -> str:
    """A path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
