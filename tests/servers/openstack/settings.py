"""What both interpreters know of a Keystone and Swift: ports and passwords, in one JSON file.

Imported by the processes as well, so it imports nothing of ours.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
BACKENDS = ("account", "container", "object")
REGION = "RegionOne"
ADMIN_PASSWORD = "admin-secret"
SWIFT_PASSWORD = "swift-secret"

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Settings:
    """Where a Keystone and a Swift listen, and how they are set up.

    :param token_expiration: seconds that a token is good for.
    :param token_cache_time: seconds that Swift remembers a validated token; -1: not at all.
    """

    directory: str
    keystone_port: int
    proxy_port: int
    account_port: int
    container_port: int
    object_port: int
    token_expiration: int = 3600
    token_cache_time: int = -1
    has_container_quotas: bool = True

    @property
    def keystone_url(self) -> str:
        return f"http://{LOOPBACK}:{self.keystone_port}/v3"

    @property
    def swift_url(self) -> str:
        return f"http://{LOOPBACK}:{self.proxy_port}"

    def port(self, backend: str) -> int:
        """The port of the ``account``, ``container`` or ``object`` server."""
        return int(getattr(self, f"{backend}_port"))

    def write(self) -> None:
        """Put the configuration files, and these settings, into the directory."""
        directory = Path(self.directory)
        (directory / "devices" / "sda1").mkdir(parents=True)
        values = {
            **asdict(self),
            "keystone_url": self.keystone_url,
            "swift_password": SWIFT_PASSWORD,
            "container_quotas": "container_quotas" if self.has_container_quotas else "",
        }
        for name in ("keystone.conf", "swift.conf", "proxy-server.conf"):
            text = (_TEMPLATES / name).read_text()
            (directory / name).write_text(text.format(**values))
        text = (_TEMPLATES / "backend-server.conf").read_text()
        for server in BACKENDS:
            (directory / f"{server}-server.conf").write_text(
                text.format(**values, server=server, port=self.port(server))
            )
        (directory / "settings.json").write_text(json.dumps(asdict(self)))


def read(directory: Path) -> Settings:
    """The settings that :meth:`Settings.write` left in the directory."""
    return Settings(**json.loads((directory / "settings.json").read_text()))
