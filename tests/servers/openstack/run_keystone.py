"""The Keystone process: ``python -m tests.servers.openstack.run_keystone DIRECTORY``.

Run by the interpreter that has Keystone.  The first time it makes the
database, the administrator and what Swift needs; then it serves.
"""

from __future__ import annotations

import os
import socket
import sys
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.servers.openstack.settings import (
    ADMIN_PASSWORD,
    LOOPBACK,
    REGION,
    SWIFT_PASSWORD,
    Settings,
    read,
)
from tests.servers.openstack.shortcut import with_shortcut


def main() -> None:
    directory = Path(sys.argv[1])
    settings = read(directory)
    # oslo.config reads the command line, and this one is not for it.
    sys.argv = ["keystone"]
    warnings.simplefilter("ignore")
    import keystone.server
    import waitress
    from keystone.common import provider_api
    from keystone.server.flask import application
    from keystone.server.flask import core as flask

    # Bound before the work, so that a port in use is told at once.
    listener = listen(settings.keystone_port)
    keystone.server.configure(config_files=[str(directory / "keystone.conf")])
    prepare(directory, settings)
    keystones = flask.setup_app_middleware(application.application_factory("public"))
    waitress.serve(
        with_shortcut(keystones, provider_api.ProviderAPIs),
        sockets=[listener],
        # Two threads that write at a time meet "database is locked", and a 500 goes out:
        # SQLite does not make who reads first and then writes wait.
        threads=1,
        # More connections than that are not answered, and an idle one may be what is used next.
        connection_limit=1000,
        channel_timeout=3600,
        clear_untrusted_proxy_headers=False,
        ident=None,
        _quiet=True,
    )


def prepare(directory: Path, settings: Settings) -> None:
    """Load the backends; make database and keys unless that was finished before."""
    from keystone.cmd import bootstrap

    finished = directory / "keystone.made"
    if not finished.exists():
        make_keys(directory / "fernet")
        make_keys(directory / "credential")
        from keystone.common.sql import upgrades

        upgrades.offline_sync_database_to_version()
    # Loading the backends locks them, so there is one of these in a process.
    bootstrapper = bootstrap.Bootstrapper()
    if finished.exists():
        return
    bootstrapper.admin_username, bootstrapper.admin_password = "admin", ADMIN_PASSWORD
    bootstrapper.project_name = bootstrapper.admin_role_name = "admin"
    bootstrapper.service_name, bootstrapper.region_id = "keystone", REGION
    bootstrapper.public_url = settings.keystone_url
    bootstrapper.internal_url = bootstrapper.admin_url = settings.keystone_url
    bootstrapper.bootstrap()
    make_swifts_part(bootstrap.PROVIDERS, bootstrapper.service_role_id, settings)
    finished.touch()


def make_keys(directory: Path) -> None:
    from cryptography.fernet import Fernet

    directory.mkdir(mode=0o700, exist_ok=True)
    for name in ("0", "1"):
        (directory / name).write_bytes(Fernet.generate_key())


def make_swifts_part(providers: Any, service_role_id: str, settings: Settings) -> None:
    """The roles that Swift knows, the user it validates tokens with, and its catalogue entry."""
    for role in ("swiftoperator", "ResellerAdmin"):
        make(providers.role_api.create_role, name=role)
    project = make(
        providers.resource_api.create_project, name="service", domain_id="default", enabled=True
    )
    user = {"name": "swift", "enabled": True, "domain_id": "default", "password": SWIFT_PASSWORD}
    providers.assignment_api.add_role_to_user_and_project(
        providers.identity_api.create_user(user)["id"], project, service_role_id
    )
    service = make(
        providers.catalog_api.create_service, type="object-store", name="swift", enabled=True
    )
    for interface in ("public", "internal", "admin"):
        make(
            providers.catalog_api.create_endpoint,
            interface=interface,
            service_id=service,
            region_id=REGION,
            enabled=True,
            url=f"{settings.swift_url}/v1/AUTH_%(tenant_id)s",
        )


def make(create: Callable[[str, dict[str, Any]], Any], **fields: Any) -> str:
    """Make one thing; returns its id."""
    fields["id"] = uuid.uuid4().hex
    create(fields["id"], fields)
    return str(fields["id"])


def listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, port))
    listener.listen(128)
    return listener


if __name__ == "__main__":
    os.umask(0o077)
    main()
