"""Somebody who types ``stacksync-admin`` for an installation on OpenStack."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.servers.openstack.cloud import Cloud, CloudProject, CloudUser
from tests.servers.stacksync import run_admin

SECTIONS = {
    "auth": {"passwords": "keystone", "argon2_time_cost": "1", "argon2_memory": "1M"},
    "sharing": {"keep_container": "0s"},
    "storage": {"url": "swift", "timeout": "60s"},
}


class CloudOperator:
    """An operator with a database, and a project in a Keystone and Swift.

    :param keystone: replaces options of ``[keystone]``.
    """

    def __init__(
        self,
        directory: Path,
        database_url: str,
        cloud: Cloud,
        project: CloudProject,
        keystone: Mapping[str, str] | None = None,
        **sections: Mapping[str, str],
    ) -> None:
        self.directory = directory
        self.cloud = cloud
        self.project = project
        self.settings = directory / "stacksync.ini"
        written: dict[str, dict[str, str]] = {
            "service": {"home": str(directory / "home")},
            "database": {"url": database_url, "wait_timeout": "30s"},
            "keystone": {**project.options, "timeout": "60s", **(keystone or {})},
        }
        for name, options in [*SECTIONS.items(), *sections.items()]:
            written[name] = {**written.get(name, {}), **options}
        self.settings.write_text(
            "\n".join(
                f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in options.items())
                for name, options in written.items()
            )
        )

    def types(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return run_admin(self.directory, "-c", str(self.settings), *arguments, text=text)

    def gets(self, *arguments: str, text: str = "") -> Any:
        answer = self.types("--json", *arguments, text=text)
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def email(self, name: str) -> str:
        """An address that no other test gives to its users."""
        return f"{name}-{secrets.token_hex(4)}@example.org"

    def adds(self, name: str, *options: str, password: str = "seven pale horses") -> CloudUser:
        """Make an account; its user in Keystone, by whose token Swift knows it."""
        email = self.email(name)
        made = self.gets("user", "add", email, "--password-stdin", *options, text=password)
        return CloudUser(made["identity_id"], email, password)

    def keystone_users(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cloud.admin("GET", f"/users?name={name}")["users"]
        return found

    def container_of(self, user: CloudUser) -> str:
        """Where the first workspace of an account is in Swift: a URL."""
        workspaces = self.gets("user", "show", user.name)["workspaces"]
        return f"{self.project.account_url}/{workspaces[0]['id']}"

    def head(self, url: str) -> Any:
        """What the service's own user is told of a container."""
        token = self.cloud.token_of(self.project.service, self.project)
        return self.cloud.swift("HEAD", url, token)
