"""How the service proves to Keystone who it is.

https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from stacksync.config.openstack_options import KeystoneConfig


@frozen
class Credentials:
    """A user's name and password, or an application credential."""

    _config: KeystoneConfig

    def __str__(self) -> str:
        """For error messages: who we are, and nothing secret."""
        config = self._config
        if self.is_application_credential:
            return f"application credential {config.application_credential_id}"
        return (
            f"user {config.username} of domain {config.user_domain},"
            f" for project {config.project} of domain {config.project_domain}"
        )

    @property
    def is_application_credential(self) -> bool:
        return bool(self._config.application_credential_id)

    def request(self, *, scoped: bool = True) -> dict[str, Any]:
        """The body of ``POST /auth/tokens``.

        An application credential has the project that it was made in, always.

        :param scoped: for our project; else for none, which needs no role.
        """
        config = self._config
        if self.is_application_credential:
            credential = {
                "id": config.application_credential_id,
                "secret": config.application_credential_secret,
            }
            identity = {
                "methods": ["application_credential"],
                "application_credential": credential,
            }
            return {"auth": {"identity": identity}}
        user = {
            "name": config.username,
            "domain": {"name": config.user_domain},
            "password": config.password,
        }
        project = {"name": config.project, "domain": {"name": config.project_domain}}
        return {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": project} if scoped else "unscoped",
            }
        }


def password_of(user_id: str, password: str) -> dict[str, Any]:
    """The body of ``POST /auth/tokens`` that tells whether this is the user's password."""
    user = {"id": user_id, "password": password}
    return {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": "unscoped",
        }
    }
