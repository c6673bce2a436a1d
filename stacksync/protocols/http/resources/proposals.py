"""``/folder/:id/share`` and ``/shares``: folders are proposed, and the proposals answered."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from stacksync.engine import validation
from stacksync.errors import ProposalNotFound
from stacksync.protocols.addressees import read_role
from stacksync.protocols.fields import boolean, iso, text
from stacksync.protocols.http.answer import Answer, json_answer
from stacksync.protocols.http.body import (
    given_request_id,
    identity_in_path,
    read_optional_object,
    told_as,
)
from stacksync.protocols.http.resources.item_resource import ContentResource, parent_in
from stacksync.protocols.http.resources.members import (
    SharedResource,
    encode_addressee,
    read_addressees,
    shared_folder,
)
from stacksync.protocols.http.resources.workspaces import encode_workspace

if TYPE_CHECKING:
    from stacksync.engine import Engine
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal, Proposal
    from stacksync.protocols.http.request import ApiRequest

SHARE_FIELDS = frozenset(["share_to", "role", "is_encrypted", "request_id"])
MOUNT_FIELDS = frozenset(["name", "parent", "request_id"])
REPEAT_FIELDS = frozenset(["request_id"])
MOUNT_NAMES = {"parent_item_id": "parent"}


class ShareResource(SharedResource):
    """``POST /folder/:id/share``: an array of e-mail addresses, or an object that has one."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"POST": self._propose})

    async def _propose(self, request: ApiRequest, principal: Principal) -> Answer:
        folder_id = shared_folder(request)
        asked = read_addressees(request, "share_to", SHARE_FIELDS)
        with told_as(asked.names):
            shared_to = await self._engine.proposals.propose(
                principal,
                folder_id,
                asked.emails,
                role=read_role(asked.fields, "role"),
                is_encrypted=boolean(asked.fields, "is_encrypted") or False,
                request_id=given_request_id(request, asked.fields),
            )
        told = {"shared_to": [encode_addressee(addressee) for addressee in shared_to]}
        return json_answer(told, HTTPStatus.CREATED)


class FolderSharesResource(SharedResource):
    """``GET /folder/:id/shares``: who is asked to take part, and has not answered."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"GET": self._list})

    async def _list(self, request: ApiRequest, principal: Principal) -> Answer:
        pending = await self._engine.proposals.of_folder(principal, shared_folder(request))
        return json_answer({"shares": [encode_proposal(proposal) for proposal in pending]})


class SharesResource(ContentResource):
    """``GET /shares``: the proposals that wait for my answer; and all that is below."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"GET": self._list})
        share = ShareProposalResource(authenticator, engine)
        share.putChild(b"accept", AcceptResource(authenticator, engine))
        share.putChild(b"decline", DeclineResource(authenticator, engine))
        self.put_variable("share", share)

    async def _list(self, request: ApiRequest, principal: Principal) -> Answer:
        waiting = await self._engine.proposals.waiting(principal)
        return json_answer({"shares": [encode_proposal(proposal) for proposal in waiting]})


class ShareProposalResource(ContentResource):
    """``DELETE /shares/:id``: whoever may propose takes it back."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"DELETE": self._withdraw})

    async def _withdraw(self, request: ApiRequest, principal: Principal) -> Answer:
        proposal_id = identity_in_path(request, "share", ProposalNotFound)
        proposal = await self._engine.proposals.withdraw(principal, proposal_id)
        return json_answer(encode_proposal(proposal))


class AcceptResource(ContentResource):
    """``POST /shares/:id/accept``, and where to mount the folder; the workspace that it is."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"POST": self._accept})

    async def _accept(self, request: ApiRequest, principal: Principal) -> Answer:
        proposal_id = identity_in_path(request, "share", ProposalNotFound)
        fields = read_optional_object(request, MOUNT_FIELDS)
        with told_as(MOUNT_NAMES):
            workspace = await self._engine.proposals.accept(
                principal,
                proposal_id,
                name=text(fields, "name"),
                parent_item_id=parent_in(fields) or None,
                request_id=given_request_id(request, fields),
            )
        return json_answer(encode_workspace(workspace))


class DeclineResource(ContentResource):
    """``POST /shares/:id/decline``."""

    def __init__(self, authenticator: IAuthenticator, engine: Engine) -> None:
        super().__init__(authenticator, engine, {b"POST": self._decline})

    async def _decline(self, request: ApiRequest, principal: Principal) -> Answer:
        proposal_id = identity_in_path(request, "share", ProposalNotFound)
        given = given_request_id(request, read_optional_object(request, REPEAT_FIELDS))
        if given is not None:
            # A repeat needs no looking up here, but what is no id is none anywhere.
            validation.check_request_id(given)
        proposal = await self._engine.proposals.decline(principal, proposal_id)
        return json_answer(encode_proposal(proposal))


def encode_proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "id": proposal.id,
        "item_id": proposal.item_id,
        "folder_name": proposal.folder_name,
        "owner": {
            "id": proposal.owner_id,
            "email": proposal.owner_email,
            "name": proposal.owner_name,
        },
        "email": proposal.email,
        "role": proposal.role.value,
        "is_encrypted": proposal.is_encrypted,
        "state": proposal.state.value,
        "created_at": iso(proposal.created_at),
        "expires_at": iso(proposal.expires_at),
        "workspace_id": proposal.workspace_id,
    }
