"""``getShareMembers``, ``unshare`` and ``leaveShare``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stacksync.engine.sharing.members import Members
from stacksync.model import Addressee
from stacksync.protocols.addressees import read_emails
from stacksync.protocols.amqp.methods.method import Call, Method, Methods
from stacksync.protocols.fields import integer, iso, required

NAMES = {"folder_id": "itemId", "request_id": "requestId"}


class MemberMethods:
    """The methods about who takes part in a folder."""

    def __init__(self, members: Members) -> None:
        self._members = members

    def methods(self) -> Methods:
        return {
            "getShareMembers": Method(self._list, names=NAMES),
            "unshare": Method(self._unshare, names=NAMES, encode=encode_addressees),
            "leaveShare": Method(self._leave, names=NAMES),
        }

    async def _list(self, call: Call) -> list[dict[str, Any]]:
        members = await self._members.list(call.principal, shared_folder(call))
        return [
            {
                "name": member.name,
                "email": member.email,
                "joinedAt": iso(member.joined_at),
                "isOwner": member.is_owner,
                "role": member.role.value,
            }
            for member in members
        ]

    async def _unshare(self, call: Call) -> tuple[Addressee, ...]:
        emails = read_emails(required(call.fields.get("emails"), "emails"), "emails")
        return await self._members.unshare(
            call.principal, shared_folder(call), emails, request_id=call.request_id
        )

    async def _leave(self, call: Call) -> None:
        await self._members.leave(call.principal, shared_folder(call), request_id=call.request_id)


def shared_folder(call: Call) -> int:
    return int(required(integer(call.fields, "itemId"), "itemId"))


def encode_addressees(addressees: Iterable[Addressee]) -> list[dict[str, Any]]:
    """Whom sharing or unsharing was about, and what each is now."""
    return [
        {
            "name": addressee.name,
            "email": addressee.email,
            "state": addressee.state.value,
        }
        for addressee in addressees
    ]
