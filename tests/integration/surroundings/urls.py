"""Proxies before the servers that URLs name, and the URLs with that detour."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from psycopg2.extensions import parse_dsn

from tests.servers.proxy import Proxy


def through(proxy: Proxy, url: str) -> str:
    """The URL with the proxy's port in place of the server's own."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{login}{at}127.0.0.1:{proxy.port}", query=""))


def proxy_for(url: str) -> Proxy:
    """A proxy before the server of a URL: HTTP, AMQP, or libpq with a directory as host."""
    if url.startswith("postgresql:"):
        place = parse_dsn(url)
        return Proxy(Path(place["host"]) / f".s.PGSQL.{place.get('port', '5432')}")
    port = urlsplit(url).port
    assert port is not None, f"no port in {url}"
    return Proxy(port)
