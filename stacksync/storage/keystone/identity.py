"""Our users in Keystone: those who have accounts here.

Users that we make are marked with the project they were made for; no other
user is ever changed or removed.  Each step may be done twice, so whatever was
cut short is completed by the same again.  E-mails, quotas and containers are
not known here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from attrs import frozen

from stacksync.errors import Conflict, Forbidden, InvalidRequest
from stacksync.http_client import Answer, NoAnswer
from stacksync.storage.keystone.api import reason
from stacksync.storage.keystone.credentials import password_of
from stacksync.storage.keystone.failures import IdentityNotFound, KeystoneRefuses
from stacksync.storage.keystone.roles import UserRole
from stacksync.storage.keystone.service import UNAUTHORIZED, Keystone
from stacksync.storage.keystone.token import time_of

MARK = "stacksync_project"
"""The attribute that says for which project StackSync made a user; Keystone keeps what it
doesn't know.  Its value keeps installations apart that share a domain."""

CREATED, BAD_REQUEST, FORBIDDEN, NOT_FOUND, CONFLICT = 201, 400, 403, 404, 409

LONGEST = 255
"""Characters of a name or id in Keystone."""


@frozen
class Identity:
    """A user in Keystone.

    :ivar is_ours: made by this installation.
    """

    id: str
    name: str
    enabled: bool
    is_ours: bool


class Identities:
    """The users of the service's own domain.

    Every method raises :class:`~stacksync.errors.Unavailable` when Keystone is
    away or does not let us.
    """

    def __init__(self, keystone: Keystone) -> None:
        self._keystone = keystone
        self._role = UserRole(keystone)

    async def find(self, name: str) -> Identity | None:
        """The user of this name in our domain."""
        if not 0 < len(name) <= LONGEST:
            return None
        token = await self._keystone.present()
        answer = await self._keystone.request(
            "GET", "/users", query={"name": name, "domain_id": token.user_domain_id}
        )
        for user in self._document(answer)["users"]:
            # Some databases compare names whatever their case, and such names are taken, too.
            if user["name"].casefold() == name.casefold():
                return await self._identity(user)
        return None

    async def get(self, user_id: str) -> Identity | None:
        """The user with this id."""
        if not _may_be_id(user_id):
            return None
        answer = await self._keystone.request("GET", _path(user_id))
        if answer.status == NOT_FOUND:
            return None
        return await self._identity(self._document(answer)["user"])

    async def create(self, name: str, password: str, *, email: str) -> Identity:
        """Make a user of ours with the role that users have; complete one that is ours already.

        :raises Conflict: somebody else's user has this name.
        :raises InvalidRequest: Keystone does not take this name or password.
        """
        found = await self.find(name)
        if found is None:
            found = await self._made(name, password, email)
        elif not found.is_ours:
            raise _taken(found)
        else:
            fields = {"email": email, "enabled": True}
            # Keystone may forbid to set the password that a user has.
            if not await self.check_password(found.id, password):
                fields["password"] = password
            found = await self._changed(found.id, fields, password)
        await self._role.grant(found.id)
        return found

    async def adopt(self, user_id_or_name: str) -> Identity:
        """Give a user who is there the role that users have.

        :raises IdentityNotFound: nobody has this id or name.
        """
        found = await self.get(user_id_or_name) or await self.find(user_id_or_name)
        if found is None:
            raise IdentityNotFound(user_id_or_name)
        await self._role.grant(found.id)
        return found

    async def set_password(self, user_id: str, password: str) -> None:
        """Give a user of ours another password; the tokens that the user has end with it.

        :raises IdentityNotFound: nobody has this id.
        :raises Forbidden: the user is not ours.
        :raises InvalidRequest: Keystone does not take this password.
        """
        found = await self.get(user_id)
        if found is None:
            raise IdentityNotFound(user_id)
        if not found.is_ours:
            raise Forbidden(
                f"StackSync did not make the Keystone user {found.name}: "
                "the password is changed in Keystone"
            )
        await self._changed(found.id, {"password": password}, password)

    async def remove(self, user_id: str) -> bool:
        """Remove a user of ours; whether there was one.  Others are left as they are."""
        found = await self.get(user_id)
        if found is None or not found.is_ours:
            return False
        answer = await self._keystone.request("DELETE", _path(user_id))
        if answer.status == NOT_FOUND:
            return False
        self._expect(answer)
        return True

    async def check_password(self, user_id: str, password: str) -> bool:
        """Whether this is the password of a user who may sign in."""
        if not _may_be_id(user_id) or "\0" in password:
            return False
        answer = await self._keystone.api.request(
            "POST", "/auth/tokens", json=password_of(user_id, password)
        )
        if answer.status in (UNAUTHORIZED, BAD_REQUEST, FORBIDDEN):
            return False
        if answer.status != CREATED:
            raise NoAnswer(answer.part, f"{answer.told}, which no Keystone does")
        return True

    async def of_token(self, token: str) -> tuple[str, datetime] | None:
        """Whose token this is, and when it expires; ``None`` if it is no valid one."""
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            return None
        answer = await self._keystone.request(
            "GET", "/auth/tokens", subject=token, query={"nocatalog": "1"}
        )
        if answer.status in (NOT_FOUND, BAD_REQUEST):
            return None
        body = self._document(answer)["token"]
        return body["user"]["id"], time_of(body["expires_at"])

    async def _made(self, name: str, password: str, email: str) -> Identity:
        token = await self._keystone.present()
        fields = {
            "name": name,
            "password": password,
            "email": email,
            "enabled": True,
            "domain_id": token.user_domain_id,
            "default_project_id": token.project_id,
            MARK: token.project_id,
        }
        answer = await self._keystone.request("POST", "/users", json={"user": fields})
        if answer.status == CONFLICT:
            # Made meanwhile: by a try of ours whose answer was lost, or by somebody else.
            found = await self.find(name)
            if found is None or not found.is_ours:
                raise _taken(found)
            return await self._changed(found.id, {"password": password}, password)
        return await self._identity(self._document(answer, password)["user"])

    async def _changed(self, user_id: str, fields: dict[str, Any], password: str) -> Identity:
        answer = await self._keystone.request("PATCH", _path(user_id), json={"user": fields})
        if answer.status == NOT_FOUND:
            raise IdentityNotFound(user_id)
        return await self._identity(self._document(answer, password)["user"])

    async def _identity(self, user: dict[str, Any]) -> Identity:
        ours = user.get(MARK) == await self._keystone.project_id()
        return Identity(user["id"], user["name"], bool(user.get("enabled", True)), ours)

    def _document(self, answer: Answer, password: str = "") -> Any:
        self._expect(answer, password)
        return answer.json()

    def _expect(self, answer: Answer, password: str = "") -> None:
        """Raise unless it is a success.

        :param password: what Keystone may cite when it refuses it, and we must not.
        """
        if answer.ok:
            return
        why = reason(answer)
        if answer.status == BAD_REQUEST and password:
            if password in why:
                why = "Keystone's rules for a password do not allow it"
            raise InvalidRequest("password" if "password" in why else "name", why or answer.told)
        if answer.status == FORBIDDEN:
            raise KeystoneRefuses(
                f"{answer.told} to {self._keystone.credentials}: the role admin in the project is"
                " what it needs (stacksync-admin check tells more)"
            )
        raise NoAnswer(answer.part, f"{answer.told}: {why or 'no reason told'}")


def _taken(found: Identity | None) -> Conflict:
    name = found.name if found is not None else "of this name"
    return Conflict(
        f"Keystone has a user {name} that StackSync did not make;"
        " --keystone-user lets an account be theirs",
        found,
    )


def _may_be_id(text: str) -> bool:
    return 0 < len(text) <= LONGEST and text.isprintable() and text not in (".", "..")


def _path(user_id: str) -> str:
    return f"/users/{quote(user_id, safe='')}"
