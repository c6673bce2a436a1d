"""``/folder/:id/members``, ``unshare`` and ``leave``: who takes part in a folder."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING, Any

from attrs import frozen

from stacksync.errors import Forbidden
from stacksync.protocols.addressees import read_emails
from stacksync.protocols.fields import Fields, as_object, iso, required
from stacksync.protocols.http.answer import Answer, json_answer
from stacksync.protocols.http.body import (
    given_request_id,
    read_json,
    read_optional_object,
    told_as,
)
from stacksync.protocols.http.resources.item_resource import ItemResource, number_in_path

if TYPE_CHECKING:
    from stacksync.engine import Engine
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Addressee, Member, Principal
    from stacksync.protocols.http.request import ApiRequest

UNSHARE_FIELDS = frozenset(["unshare_to", "request_id"])
REPEAT_FIELDS = frozenset(["request_id"])


class SharedResource(ItemResource):
    """A resource below ``/folder/:id`` that is about sharing it."""

    is_folder = True


class MembersResource(SharedResource):
    """``GET /folder/:id/members``."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"GET": self._list})

    async def _list(self, request: ApiRequest, principal: Principal) -> Answer:
        members = await self._engine.members.list(principal, shared_folder(request))
        return json_answer([encode_member(member) for member in members])


class UnshareResource(SharedResource):
    """``POST /folder/:id/unshare``: an array of e-mail addresses, or an object that has one."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"POST": self._unshare})

    async def _unshare(self, request: ApiRequest, principal: Principal) -> Answer:
        folder_id = shared_folder(request)
        asked = read_addressees(request, "unshare_to", UNSHARE_FIELDS)
        with told_as(asked.names):
            unshared_to = await self._engine.members.unshare(
                principal,
                folder_id,
                asked.emails,
                request_id=given_request_id(request, asked.fields),
            )
        return json_answer({"unshared_to": [encode_addressee(each) for each in unshared_to]})


class LeaveResource(SharedResource):
    """``POST /folder/:id/leave``."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"POST": self._leave})

    async def _leave(self, request: ApiRequest, principal: Principal) -> Answer:
        folder_id = shared_folder(request)
        fields = read_optional_object(request, REPEAT_FIELDS)
        await self._engine.members.leave(
            principal, folder_id, request_id=given_request_id(request, fields)
        )
        return json_answer({"id": folder_id})


@frozen
class Asked:
    """Whom a body names, and what else it says.

    :ivar where: what the body calls the list.
    """

    emails: tuple[str, ...]
    where: str
    fields: Fields

    @property
    def names(self) -> dict[str, str]:
        """What the request calls the engine's parameters."""
        return {"emails": self.where, "folder_id": "id"}


def read_addressees(request: ApiRequest, name: str, known: Set[str]) -> Asked:
    """A body that is an array of e-mail addresses, or an object that has one.

    :param name: of the array in the object.
    :param known: the names that the object may have.
    """
    body = read_json(request)
    if type(body) is list:
        return Asked(read_emails(body, "body"), "body", {})
    fields = as_object(body, "body", "", known)
    emails = read_emails(required(fields.get(name), name), name)
    return Asked(emails, name, fields)


def shared_folder(request: ApiRequest) -> int:
    """The folder in the path.

    :raises Forbidden: it is the root.
    """
    if request.segments["item"] == b"0":
        raise Forbidden("folder 0 is the root, which can't be shared")
    return number_in_path(request, "item")


def encode_addressee(addressee: Addressee) -> dict[str, Any]:
    return {
        "name": addressee.name,
        "email": addressee.email,
        "state": addressee.state.value,
    }


def encode_member(member: Member) -> dict[str, Any]:
    return {
        "name": member.name,
        "email": member.email,
        "joined_at": iso(member.joined_at),
        "is_owner": member.is_owner,
        "role": member.role.value,
    }
