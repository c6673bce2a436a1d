"""Options that name hosts by the lot: whose proxies are believed, whose web pages are let in.

A list stands on one line, with blanks between its members.  Only the form is checked.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from stacksync.config.values import Kind

UNIX = "unix"
"""Stands for whoever comes by a UNIX socket."""


def networks() -> Kind[tuple[str, ...]]:
    """Addresses, networks (``10.0.0.0/8``), or ``unix``."""
    return _listed(_network)


def origins() -> Kind[tuple[str, ...]]:
    """Origins of web pages (RFC 6454): ``https://app.example.org``, with a port if it has one."""
    return _listed(_origin)


def _listed(read_one: Callable[[str], str]) -> Kind[tuple[str, ...]]:
    return Kind(lambda text: tuple(read_one(each) for each in text.split()), " ".join)


def _network(text: str) -> str:
    if text == UNIX:
        return text
    try:
        return str(ipaddress.ip_network(text)) if "/" in text else str(ipaddress.ip_address(text))
    except ValueError as error:
        raise ValueError(f"{error}; write 127.0.0.1, 10.0.0.0/8 or unix") from None


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if not re.fullmatch(r"https?://(?:\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]{1,5})?", text):
        raise ValueError(f"{text!r} is not an origin; write https://app.example.org")
    return f"{parts.scheme}://{parts.netloc}"
