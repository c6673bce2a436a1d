"""The options of the HTTP front-end.

Declared like those in ``options``, where the whole configuration is put together.
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from stacksync.config import addresses, networks, values
from stacksync.config.declaration import option


@frozen
class HttpConfig:
    """The HTTP front-end."""

    listen: str = option(
        addresses.listening_endpoint(),
        "tcp:8080:interface=127.0.0.1",
        "A Twisted server endpoint, for example tcp:8080, unix:/run/stacksync/http.socket or "
        "ssl:443:privateKey=key.pem:certKey=cert.pem; off: no HTTP.",
    )
    certificate: Path = option(
        values.optional_file(),
        Path(),
        "TLS on that endpoint: our certificate with its chain (PEM). Read anew on SIGHUP. Empty: "
        "no TLS, unless the endpoint is an ssl: one.",
    )
    key: Path = option(values.optional_file(), Path(), "The key of that certificate (PEM).")
    hsts: float = option(
        values.duration(minimum=0.0, maximum=3650 * values.ONE_DAY),
        365 * values.ONE_DAY,
        "With TLS: how long browsers are told to come by TLS only "
        "(Strict-Transport-Security); 0s: they are not.",
    )
    trusted_proxies: tuple[str, ...] = option(
        networks.networks(),
        (),
        "Addresses or networks of our own reverse proxies, with blanks between them: what they "
        "say in X-Forwarded-For and X-Forwarded-Proto is believed. unix: whoever comes by a "
        "UNIX socket.",
    )
    cors_origins: tuple[str, ...] = option(
        networks.origins(),
        (),
        "Web pages of which origins may use the API from a browser, with blanks between them: "
        "https://app.example.org. Empty: none but our own.",
    )
    max_body: int = option(values.size(minimum=4096), 8 * 1024**2, "The largest body of a request.")
    max_file: int = option(
        values.size(minimum=0),
        0,
        "The largest file that may be uploaded, whatever its owner's quota; 0: no limit.",
    )
    request_timeout: float = option(
        values.duration(), 60.0, "How long a request may take, from its first byte to its answer."
    )
    header_timeout: float = option(
        values.duration(),
        20.0,
        "How long a request's head may take, from the connection's or the request's first byte.",
    )
    connections_max: int = option(
        values.whole(16, 1_000_000),
        16_384,
        "How many connections may be open; beyond that, the one goes that has been silent for "
        "longest. No more than the system's limit of open files allows.",
    )
    event_heartbeat: float = option(
        values.duration(minimum=1.0),
        15.0,
        "How often a silent event stream gets a comment line, so that both ends know of a "
        "broken connection.",
    )
    event_buffer: int = option(
        values.whole(1, 1_000_000),
        256,
        "How many events wait for a slow reader before it is told no more than the newest "
        "revision of each workspace.",
    )
    event_streams_max: int = option(
        values.whole(1, 1_000_000), 10_000, "How many event streams may be open at once."
    )
    metrics: bool = option(
        values.flag(), True, "Whether /metrics shows numbers about this instance (Prometheus)."
    )
