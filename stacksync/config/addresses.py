"""Options that say where something is: the database, the broker, our own port.

Only the form is checked; nothing is resolved, connected to or listened on.
These values may hold a password, and what is printed of them never does.
"""

from __future__ import annotations

import re
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

from twisted.internet.endpoints import serverFromString

from stacksync.config.tls_endpoint import PREFIX, tls_endpoint
from stacksync.config.values import Kind

_LARGEST_PORT = 65535


def without_password(url: str) -> str:
    """The URL as it may be printed: ``***`` stands for each password.

    A password with an unescaped ``@`` or ``/`` is hidden whole as well, so
    everything up to the last ``@`` goes.
    """
    shown = re.sub(r"^((?:[a-z0-9+.-]+://)?[^:@]*:)(?!//).*@", r"\1***@", url, flags=re.I | re.S)
    return re.sub(r"(password\s*=\s*)[^&]*", r"\1***", shown, flags=re.I)


def database_url() -> Kind[str]:
    """``embedded``, or a libpq URL such as ``postgresql://user:password@host/database``."""

    def read(text: str) -> str:
        if text == "embedded":
            return text
        parts = _split(text, ("postgresql", "postgres"), "embedded or postgresql://…/database")
        if len(parts.path) < 2:
            raise ValueError(f"{without_password(text)} names no database; end it with /database")
        return text

    return Kind(read, str)


def broker_url() -> Kind[str]:
    """``auto``, ``off``, or ``amqp://user:password@host:port/vhost``, with TLS ``amqps://…``."""

    def read(text: str) -> str:
        if text in ("auto", "off"):
            return text
        parts = _split(text, ("amqp", "amqps"), "auto, off or amqp://user:password@host:port/vhost")
        if not parts.hostname:
            raise ValueError(f"{without_password(text)} names no host")
        return text

    return Kind(read, str)


def http_url() -> Kind[str]:
    """Empty, or ``http(s)://host:port/path`` without user, query and closing slash."""

    def read(text: str) -> str:
        if not text:
            return text
        parts = _split(text, ("https", "http"), "https://host:port/path")
        if not parts.hostname:
            raise ValueError(f"{without_password(text)} names no host")
        if "@" in parts.netloc or parts.query:
            raise ValueError(f"{without_password(text)}: no user and no question mark belong there")
        return text.rstrip("/")

    return Kind(read, str)


def management_url() -> Kind[str]:
    """Empty, or ``http://user:password@host:port``; both have to be there."""

    def read(text: str) -> str:
        if not text:
            return text
        parts = _split(text, ("http", "https"), "http://user:password@host:15672")
        if not parts.hostname:
            raise ValueError(f"{without_password(text)} names no host")
        if not parts.username or not parts.password:
            raise ValueError(f"{without_password(text)} needs user and password")
        return text.rstrip("/")

    return Kind(read, str)


def listening_endpoint() -> Kind[str]:
    """``off``, or a Twisted server endpoint string such as ``tcp:8080:interface=127.0.0.1``."""

    def read(text: str) -> str:
        if text == "off":
            return text
        kind, _, rest = text.partition(":")
        # What systemd hands over is only known to a process that it started.
        if kind != "systemd":
            _check_endpoint(text)
        port = re.match(r"(?:port=)?([0-9]+)", rest)
        if kind in ("tcp", "tcp6", "ssl") and port and int(port[1]) > _LARGEST_PORT:
            raise ValueError(f"{text!r}: the largest port is {_LARGEST_PORT}")
        return text

    return Kind(read, str)


def _check_endpoint(text: str) -> None:
    try:
        if text.startswith(PREFIX):
            text = tls_endpoint(text).plain
        # Making an endpoint only stores the reactor; none is needed to check the form.
        serverFromString(cast(Any, None), text)
    except Exception as error:
        raise ValueError(
            f"{text!r} is not an endpoint ({error}); write one like tcp:8080:interface=127.0.0.1"
        ) from None


def _split(text: str, schemes: tuple[str, ...], expected: str) -> SplitResult:
    """Take a URL apart; libpq's list of hosts, ``host1:5432,host2``, may stand in it."""
    shown = without_password(text)
    if re.search(r"\s", text):
        raise ValueError(f"{shown!r} has a blank in it; write %20 for one")
    scheme, separator, _ = text.partition("://")
    if not separator or scheme not in schemes:
        raise ValueError(f"{shown!r} is not {expected}")
    if "#" in text:
        raise ValueError(f"{shown!r} has a # in it; write %23 for one")
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = None
    if parts is None or "@" in parts.path or not _hosts_are_right(parts.netloc):
        # The message of urlsplit itself would quote the password.
        raise ValueError(
            f"host and port can't be told from {shown!r}; "
            "where user or password hold one of @ : / ? %, write %40 %3A %2F %3F %25 for it"
        )
    return parts


def _hosts_are_right(authority: str) -> bool:
    for host in authority.rpartition("@")[2].split(","):
        match = re.fullmatch(r"(?:\[[0-9a-fA-F:.]+\]|[^:\[\]]*)(?::([0-9]{1,5}))?", host)
        if match is None or (match[1] and not 0 < int(match[1]) <= _LARGEST_PORT):
            return False
    return True
