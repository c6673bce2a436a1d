"""Who a request is from when proxies of our own have passed it on, and how it came to them.

``X-Forwarded-For`` and ``X-Forwarded-Proto`` are anybody's to write: they are
believed as far as proxies of ours have written them, and no further.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.web.http_headers import Headers

if TYPE_CHECKING:
    from ipaddress import IPv4Address

LOCAL = "local"
"""Stands for the address of whoever comes by a UNIX socket."""

UNIX = "unix"
"""What the settings call them."""

ADDRESSES_KNOWN = 4096
"""How many are remembered as they were read, for each request asks."""

SCHEMES = ("http", "https")
TRACES = frozenset(
    name
    for each in (b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Real-IP", b"Forwarded", b"Via")
    for name, _ in Headers({each: [b""]}).getAllRawHeaders()
)
"""What a proxy leaves behind, whether we know it or not."""

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::[0-9]+)?|([0-9.]+):[0-9]+")


@frozen
class Client:
    """The other end of a request.

    :ivar address: an IP address, or ``local``.
    :ivar is_secure: it came to us, or to the first of our proxies, by TLS.
    :ivar is_secure_for_secrets: nobody on the way could have read it.
    """

    address: str
    is_secure: bool
    is_secure_for_secrets: bool


class TrustedProxies:
    """The proxies that are believed.

    :param entries: IP addresses, networks, ``unix``.
    """

    def __init__(self, entries: Sequence[str] = ()) -> None:
        self._networks: list[IPv4Network | IPv6Network] = [
            ip_network(entry) for entry in entries if entry != UNIX
        ]
        self._trusts_local = UNIX in entries

    def trusts(self, address: str) -> bool:
        """Whether this is the address of one of our proxies."""
        if address == LOCAL:
            return self._trusts_local
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def client_of(self, peer: str, is_tls: bool, headers: Headers) -> Client:
        """Whom a request comes from.

        :param peer: the other end of the connection: an IP address, or ``local``.
        :param is_tls: whether the connection itself is secured.
        """
        peer = normal(peer) or peer
        if not self.trusts(peer):
            is_secret = is_tls or (is_on_this_machine(peer) and is_direct(headers))
            return Client(peer, is_tls, is_secret)
        address, steps = self._walk(peer, _members(headers, b"X-Forwarded-For"))
        scheme = self._scheme(_members(headers, b"X-Forwarded-Proto"), steps)
        is_secure = is_tls if scheme is None else scheme == "https"
        return Client(address, is_secure, is_secure)

    def _walk(self, peer: str, passed: list[str]) -> tuple[str, int]:
        """The nearest address that is no proxy of ours, and how many steps away it was told."""
        address, steps = peer, 0
        while passed and self.trusts(address):
            before = normal(passed.pop())
            if before is None:
                # What our own proxy did not know, nobody can tell us.
                break
            address, steps = before, steps + 1
        return address, steps

    def _scheme(self, passed: list[str], steps: int) -> str | None:
        # Proxies write one word for all, or add theirs as they do with addresses.
        if not passed:
            return None
        told = passed[-min(max(steps, 1), len(passed))].lower()
        return told if told in SCHEMES else "http"


def external_host(headers: Headers, own: object) -> str:
    """The host, and its port if it is told, by which a client found us.

    :param own: our address, for who doesn't say.
    """
    told = headers.getRawHeaders(b"Host", [])
    # Of several a proxy before us may have meant another one.
    if len(told) == 1 and _HOST.fullmatch(name := told[0].decode("latin-1")):
        return name
    host, port = getattr(own, "host", "localhost"), getattr(own, "port", None)
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


def is_direct(headers: Headers) -> bool:
    """Whether no proxy has left a trace."""
    return TRACES.isdisjoint(dict(headers.getAllRawHeaders()))


@lru_cache(maxsize=ADDRESSES_KNOWN)
def is_on_this_machine(peer: str) -> bool:
    parsed = _parsed(peer)
    return peer == LOCAL or (parsed is not None and parsed.is_loopback)


@lru_cache(maxsize=ADDRESSES_KNOWN)
def normal(text: str) -> str | None:
    """An IP address as it is usually written, without a port; ``None`` if it is none."""
    match = _WITH_PORT.fullmatch(text)
    parsed = _parsed(match[1] or match[2] or "" if match else text)
    return None if parsed is None else str(parsed)


@lru_cache(maxsize=ADDRESSES_KNOWN)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        # A link's own address has its interface after a percent sign.
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        # What comes by IPv4 to a socket for both.
        return address.ipv4_mapped
    return address


def _members(headers: Headers, name: bytes) -> list[str]:
    values = headers.getRawHeaders(name, [])
    members = [each.strip() for value in values for each in value.split(b",")]
    return [each.decode("latin-1") for each in members if each]
