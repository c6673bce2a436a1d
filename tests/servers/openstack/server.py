"""A Keystone and a Swift that belong together."""

from __future__ import annotations

import os
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from stacksync.embedded.deadline import Deadline
from stacksync.embedded.ports import choose
from tests.servers.openstack.cloud import Cloud
from tests.servers.openstack.process import Process
from tests.servers.openstack.settings import ADMIN_PASSWORD, REGION, Settings, read


class OpenStackServer:
    """A Keystone and a Swift below a directory; several test processes may share them.

    The methods block until done and raise when they fail.

    :param options: of :class:`Settings`, when the directory is new: ``token_expiration``,
        ``token_cache_time``, ``has_container_quotas``.
    :ivar cloud: what an administrator would do with them.
    """

    region = REGION
    admin_user = "admin"
    admin_password = ADMIN_PASSWORD
    admin_project = "admin"

    def __init__(self, directory: Path, **options: Any) -> None:
        self.directory = directory
        if not (directory / "settings.json").exists():
            _require_attributes(directory)
            Settings(str(directory), *choose(5), **options).write()
        self.settings = read(directory)
        self.keystone = Process(directory, "keystone", lambda: _says_ok(self.keystone_url))
        self.swift = Process(
            directory, "swift", lambda: _says_ok(f"{self.settings.swift_url}/healthcheck")
        )

    @property
    def keystone_url(self) -> str:
        """Where Keystone is, ``/v3`` included."""
        return self.settings.keystone_url

    @property
    def swift_url(self) -> str:
        """Where Swift is, without ``/v1``."""
        return self.settings.swift_url

    @cached_property
    def cloud(self) -> Cloud:
        return Cloud(self.keystone_url, self.swift_url)

    def start(self) -> None:
        """Start what doesn't run, with the data there is; takes 2 to 3 s on an idle machine."""
        deadline = Deadline(240)
        for process in (self.keystone, self.swift):
            process.spawn()
        for process in (self.keystone, self.swift):
            process.wait(deadline)

    def start_swift(self) -> None:
        """Start Swift again, on the same ports and data."""
        self.swift.spawn()
        self.swift.wait(Deadline(180))

    def kill_swift(self) -> None:
        self.swift.kill()

    def start_keystone(self) -> None:
        """Start Keystone again, on the same port and database: tokens are valid as before."""
        self.keystone.spawn()
        self.keystone.wait(Deadline(180))

    def kill_keystone(self) -> None:
        self.keystone.kill()

    def kill(self) -> None:
        """End both."""
        self.swift.kill()
        self.keystone.kill()


def _require_attributes(directory: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        try:
            os.setxattr(file.fileno(), "user.swift.test", b"x" * 2048)
        except OSError as error:
            raise AssertionError(
                f"Swift needs extended attributes, and {directory} has none "
                f"({error.strerror}): let TMPDIR name a directory on ext4, XFS or tmpfs"
            ) from None


def _says_ok(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=30).ok
        except requests.RequestException:
            return False
