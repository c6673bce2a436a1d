"""The role that users of StackSync have in its project."""

from __future__ import annotations

from stacksync.storage.keystone.api import reason
from stacksync.storage.keystone.failures import IdentityNotFound, KeystoneRefuses
from stacksync.storage.keystone.service import Keystone

NOT_FOUND = 404


class UserRole:
    """The role that ``[keystone] user_role`` names."""

    def __init__(self, keystone: Keystone) -> None:
        self._keystone = keystone
        self._id: str | None = None

    async def id(self) -> str | None:
        """Its id in Keystone; ``None`` if there is no such role.

        :raises KeystoneRefuses: we may not look.
        """
        if self._id is None:
            # Roles of domains can't be granted in projects as a rule: global ones only.
            name = self._keystone.config.user_role
            answer = await self._keystone.request("GET", "/roles", query={"name": name})
            if not answer.ok:
                raise KeystoneRefuses(
                    f"{answer.told} to {self._keystone.credentials}: {reason(answer)}"
                )
            found = [role["id"] for role in answer.json()["roles"] if role["name"] == name]
            self._id = found[0] if found else None
        return self._id

    async def grant(self, user_id: str) -> None:
        """Let the user have it in our project, as may be the case already.

        :raises IdentityNotFound: the user is gone.
        :raises KeystoneRefuses: there is no such role, or we may not grant it.
        """
        role, name = await self.id(), self._keystone.config.user_role
        if role is None:
            raise KeystoneRefuses(
                f"there is no role {name} ([keystone] user_role): openstack role create {name}"
            )
        project = await self._keystone.project_id()
        answer = await self._keystone.request(
            "PUT", f"/projects/{project}/users/{user_id}/roles/{role}"
        )
        if answer.ok:
            return
        if answer.status == NOT_FOUND:
            # The role may have been made anew, with another id.
            self._id = None
            if await self.id() == role:
                raise IdentityNotFound(user_id)
            await self.grant(user_id)
            return
        raise KeystoneRefuses(
            f"{answer.told} to {self._keystone.credentials}: the role admin in the project is what"
            " it needs (stacksync-admin check tells more)"
        )
