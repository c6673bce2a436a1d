"""Where a broker is and how to log in to it."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from attrs import field, frozen
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint

from stacksync.errors import ConfigurationError

PORT = 5672
CONNECT_TIMEOUT = 10.0


@frozen
class Address:
    """Read from ``amqp://user:password@host:port/vhost``; a part left out has its usual value."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    vhost: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """:raises ConfigurationError: the URL is no ``amqp`` one."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"amqp.url: {error}") from None
        if parts.scheme != "amqp" or not parts.hostname:
            raise ConfigurationError("amqp.url: must be amqp:// with a host")
        return cls(
            host=parts.hostname,
            port=port or PORT,
            user=unquote(parts.username or "guest"),
            password=unquote(parts.password or "guest"),
            vhost=unquote(parts.path[1:]) or "/",
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def endpoint(self, reactor: Any) -> IStreamClientEndpoint:
        return HostnameEndpoint(reactor, self.host, self.port, timeout=CONNECT_TIMEOUT)
