"""Where a broker is and how to log in to it."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from attrs import field, frozen
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint

from stacksync.errors import ConfigurationError
from stacksync.tls import ClientSecurity

PORTS = {"amqp": 5672, "amqps": 5671}
CONNECT_TIMEOUT = 10.0


@frozen
class Address:
    """Read from ``amqp://user:password@host:port/vhost``; a part left out has its usual value.

    :ivar is_secured: TLS is spoken there: it was ``amqps://…``.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    vhost: str
    is_secured: bool = False

    @classmethod
    def parse(cls, url: str) -> Address:
        """:raises ConfigurationError: the URL is no ``amqp`` one."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"amqp.url: {error}") from None
        if parts.scheme not in PORTS or not parts.hostname:
            raise ConfigurationError("amqp.url: must be amqp:// or amqps:// with a host")
        return cls(
            host=parts.hostname,
            port=port or PORTS[parts.scheme],
            user=unquote(parts.username or "guest"),
            password=unquote(parts.password or "guest"),
            vhost=unquote(parts.path[1:]) or "/",
            is_secured=parts.scheme == "amqps",
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def endpoint(
        self, reactor: Any, security: ClientSecurity | None = None
    ) -> IStreamClientEndpoint:
        """Where to connect to.

        :param security: whom we trust; ``None``: whom the machine trusts.
        """
        plain = HostnameEndpoint(reactor, self.host, self.port, timeout=CONNECT_TIMEOUT)
        if not self.is_secured:
            return plain
        return (security or ClientSecurity("amqp")).secured(plain, self.host, reactor)
