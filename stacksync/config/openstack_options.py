"""The options about OpenStack: the identity service, and the object store that it names.

Declared like those in ``options``, where the whole configuration is put together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import frozen

from stacksync.config import addresses, values
from stacksync.config.declaration import option, secret


@frozen
class KeystoneConfig:
    """OpenStack's identity service, version 3: who we are there, and where our users are made."""

    url: str = option(
        addresses.http_url(),
        "",
        "Where Keystone is, its version included: https://keystone.example.org:5000/v3. "
        "Empty: there is none.",
    )
    username: str = option(
        values.text(), "stacksync", "The service's own user, which owns the containers."
    )
    password: str = secret(values.text(), "", "That user's password.")
    application_credential_id: str = option(
        values.text(), "", "Instead of username and password: an application credential."
    )
    application_credential_secret: str = secret(values.text(), "", "The secret that goes with it.")
    project: str = option(
        values.text(),
        "stacksync",
        "The project that all containers belong to, and that users are made in.",
    )
    user_domain: str = option(
        values.text(), "Default", "The domain of the service's user, and of the users we make."
    )
    project_domain: str = option(values.text(), "Default", "The domain of the project.")
    user_role: str = option(
        values.text(),
        "member",
        "The role that users get in the project. Not one that Swift's operator_roles names: "
        "that would open every container to them.",
    )
    region: str = option(
        values.text(), "", "The region whose object store is used. Empty: the first there is."
    )
    interface: Literal["public", "internal", "admin"] = option(
        values.choice("public", "internal", "admin"),
        "public",
        "Which of the object store's endpoints this service uses; users are told the public one.",
    )
    ca_file: Path = option(
        values.optional_file(),
        Path(),
        "The certificates (PEM) that Keystone's and Swift's are signed with. Empty: those that "
        "this machine trusts.",
    )
    timeout: float = option(
        values.duration(), 20.0, "How long Keystone may take for an answer before another try."
    )
