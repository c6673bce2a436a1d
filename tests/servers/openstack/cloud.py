"""What a cloud's administrator does before StackSync comes: projects, users, roles.

Plain blocking calls; none of the code under test is used.  Names that tests
choose are given a random end, so that tests don't meet one another.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from attrs import field, frozen

from tests.servers.openstack.settings import ADMIN_PASSWORD
from tests.servers.openstack.shortcut import PATH as SHORTCUT

_TIMEOUT = 120


class Refused(AssertionError):
    """An answer that is no success.

    :ivar status: the HTTP status.
    """

    def __init__(self, answer: requests.Response) -> None:
        super().__init__(
            f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:500]}"
        )
        self.status = answer.status_code


@frozen
class CloudUser:
    """A user whose password the test knows."""

    id: str
    name: str
    password: str = field(repr=False)


@frozen
class CloudCredential:
    """An application credential."""

    id: str
    secret: str = field(repr=False)


@frozen
class CloudProject:
    """A project, with the user that the service is there.

    ``options``: what a configuration's section ``[keystone]`` has to say.
    """

    id: str
    name: str
    service: CloudUser
    keystone_url: str
    swift_url: str

    @property
    def options(self) -> dict[str, str]:
        return {
            "url": self.keystone_url,
            "username": self.service.name,
            "password": self.service.password,
            "project": self.name,
        }

    @property
    def account_url(self) -> str:
        """The project's Swift account."""
        return f"{self.swift_url}/v1/AUTH_{self.id}"


class Cloud:
    """A Keystone and Swift as their administrator sees them."""

    def __init__(self, keystone_url: str, swift_url: str) -> None:
        self.keystone_url = keystone_url
        self.swift_url = swift_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._admin_token = ""
        self._roles: dict[str, str] = {}

    def project(
        self, name: str = "project", roles: tuple[str, ...] = ("admin", "swiftoperator")
    ) -> CloudProject:
        """Make a project of its own, and in it the service's user with these roles."""
        name = f"{name}-{secrets.token_hex(4)}"
        service, project_id = self._make_user("stacksync", project=name, roles=roles)
        return CloudProject(project_id, name, service, self.keystone_url, self.swift_url)

    def user(
        self, name: str = "user", project: CloudProject | None = None, role: str = "member"
    ) -> CloudUser:
        """Make a user in the default domain, with a role in a project if one is given."""
        if project is None:
            return self._make_user(name)[0]
        return self._make_user(name, project_id=project.id, roles=[role])[0]

    def application_credential(
        self,
        project: CloudProject,
        user: CloudUser | None = None,
        lifetime: timedelta | None = None,
    ) -> CloudCredential:
        """Make one of a user, unless told of the project's service, with all the roles there.

        :param lifetime: ends it, and all tokens that it has given; ``None``: nothing does.
        """
        user = user or project.service
        fields = {"name": f"stacksync-{secrets.token_hex(4)}"}
        if lifetime is not None:
            end = datetime.now(UTC) + lifetime
            fields["expires_at"] = end.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        answer = self._session.post(
            f"{self.keystone_url}/users/{user.id}/application_credentials",
            json={"application_credential": fields},
            headers={"X-Auth-Token": self.token_of(user, project)},
            timeout=_TIMEOUT,
        )
        if not answer.ok:
            raise Refused(answer)
        made = answer.json()["application_credential"]
        return CloudCredential(made["id"], made["secret"])

    def endpoint(self, interface: str, region: str, url: str) -> None:
        """Add an endpoint of the object store to the catalogue, in a region made for it."""
        services = self.admin("GET", "/services?type=object-store")["services"]
        fields = {
            "interface": interface,
            "region": region,
            "url": url,
            "service_id": services[0]["id"],
        }
        self.admin("POST", "/endpoints", {"endpoint": fields})

    def grant(self, user: CloudUser, project_id: str, role: str) -> None:
        self.admin("PUT", f"/projects/{project_id}/users/{user.id}/roles/{self.role_id(role)}")

    def withdraw(self, user: CloudUser, project_id: str, role: str) -> None:
        """Take a role away again."""
        self.admin("DELETE", f"/projects/{project_id}/users/{user.id}/roles/{self.role_id(role)}")

    def role_id(self, name: str) -> str:
        if name not in self._roles:
            roles = self.admin("GET", "/roles")["roles"]
            self._roles = {role["name"]: role["id"] for role in roles}
        return self._roles[name]

    def disable(self, user: CloudUser) -> None:
        self.admin("PATCH", f"/users/{user.id}", {"user": {"enabled": False}})

    def token_of(self, user: CloudUser, project: CloudProject | None = None) -> str:
        """A new token of the user, for a project or for none.

        :raises Refused: as Keystone does.
        """
        return self._authenticate(user.name, user.password, project and project.name)

    def token_by(self, credential: CloudCredential) -> str:
        """A new token by an application credential, for its project."""
        told = {"id": credential.id, "secret": credential.secret}
        identity = {"methods": ["application_credential"], "application_credential": told}
        return self._token({"identity": identity})

    def is_valid(self, token: str) -> bool:
        """Whether Keystone still says so."""
        try:
            self.admin("GET", "/auth/tokens?nocatalog=1", headers={"X-Subject-Token": token})
        except Refused as refused:
            if refused.status != 404:
                raise
            return False
        return True

    def revoke(self, token: str) -> None:
        self.admin("DELETE", "/auth/tokens", headers={"X-Subject-Token": token})

    def admin(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """What Keystone answers to its administrator; ``None`` if there is no body.

        :param path: what follows ``/v3``.
        :raises Refused: not a success.
        """
        for again in (True, False):
            self._admin_token = self._admin_token or self._authenticate(
                "admin", ADMIN_PASSWORD, "admin"
            )
            answer = self._session.request(
                method,
                self.keystone_url + path,
                json=body,
                headers={"X-Auth-Token": self._admin_token, **(headers or {})},
                timeout=_TIMEOUT,
            )
            if answer.status_code != 401 or not again:
                break
            self._admin_token = ""
        if not answer.ok:
            raise Refused(answer)
        return answer.json() if answer.content else None

    def swift(
        self,
        method: str,
        url: str,
        token: str,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        """Swift's answer, whatever its status.

        :param url: an absolute one: ``f"{project.account_url}/container/object"``.
        """
        return self._session.request(
            method,
            url,
            data=data,
            headers={"X-Auth-Token": token, **(headers or {})},
            timeout=_TIMEOUT,
        )

    def _make_user(self, name: str, **fields: Any) -> tuple[CloudUser, str]:
        """A new user, and the id of the project if the fields are of one."""
        name, password = f"{name}-{secrets.token_hex(4)}", secrets.token_hex(8)
        answer = self._session.post(
            self.keystone_url.removesuffix("/v3") + SHORTCUT,
            json={"name": name, "password": password, **fields},
            timeout=_TIMEOUT,
        )
        if not answer.ok:
            raise Refused(answer)
        made = answer.json()
        return CloudUser(made["id"], name, password), made["project_id"]

    def _authenticate(self, name: str, password: str, project: str | None) -> str:
        user = {"name": name, "domain": {"id": "default"}, "password": password}
        auth: dict[str, Any] = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": (
                {"project": {"name": project, "domain": {"id": "default"}}}
                if project
                else "unscoped"
            ),
        }
        return self._token(auth)

    def _token(self, auth: dict[str, Any]) -> str:
        answer = self._session.post(
            f"{self.keystone_url}/auth/tokens", json={"auth": auth}, timeout=_TIMEOUT
        )
        if not answer.ok:
            raise Refused(answer)
        return answer.headers["X-Subject-Token"]
