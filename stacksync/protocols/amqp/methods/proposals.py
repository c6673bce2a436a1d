"""``createShareProposal`` and the answers to it."""

from __future__ import annotations

from typing import Any

from stacksync.engine.sharing.proposals import Proposals
from stacksync.errors import (
    AccountNotFound,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
)
from stacksync.model import Addressee, Proposal
from stacksync.protocols.addressees import read_emails, read_role
from stacksync.protocols.amqp.errors import EXCEPTIONS, ErrorNames
from stacksync.protocols.amqp.methods.members import encode_addressees
from stacksync.protocols.amqp.methods.method import Call, Method, Methods
from stacksync.protocols.amqp.methods.storage_place import NO_PLACE, StoragePlace, without_nulls
from stacksync.protocols.amqp.methods.workspaces import encode_workspace
from stacksync.protocols.fields import boolean, identity, integer, iso, required, text

PROPOSE_ERRORS: ErrorNames = {
    **dict.fromkeys(
        (InvalidRequest, NotFound, Forbidden, Conflict, QuotaExceeded),
        EXCEPTIONS + "ShareProposalNotCreatedException",
    ),
    AccountNotFound: EXCEPTIONS + "UserNotFoundException",
}
PROPOSE_NAMES = {"folder_id": "itemId", "request_id": "requestId", "is_encrypted": "isEncrypted"}
ACCEPT_NAMES = {
    "name": "workspaceName",
    "parent_item_id": "parentItemId",
    "request_id": "requestId",
}


class ProposalMethods:
    """The methods by which folders are proposed and proposals are answered."""

    def __init__(self, proposals: Proposals, place: StoragePlace = NO_PLACE) -> None:
        self._proposals = proposals
        self._place = place

    def methods(self) -> Methods:
        return {
            "createShareProposal": Method(
                self._create, PROPOSE_ERRORS, PROPOSE_NAMES, encode_addressees
            ),
            "getShareProposals": Method(self._get),
            "acceptShareProposal": Method(self._accept, names=ACCEPT_NAMES),
            "declineShareProposal": Method(self._decline),
            "withdrawShareProposal": Method(self._withdraw),
        }

    async def _create(self, call: Call) -> tuple[Addressee, ...]:
        fields = call.fields
        return await self._proposals.propose(
            call.principal,
            required(integer(fields, "itemId"), "itemId"),
            read_emails(required(fields.get("emails"), "emails"), "emails"),
            role=read_role(fields, "role"),
            is_encrypted=boolean(fields, "isEncrypted") or False,
            request_id=call.request_id,
        )

    async def _get(self, call: Call) -> list[dict[str, Any]]:
        folder_id = integer(call.fields, "itemId")
        if folder_id is None:
            proposals = await self._proposals.waiting(call.principal)
        else:
            proposals = await self._proposals.of_folder(call.principal, folder_id)
        return [encode_proposal(proposal, self._place) for proposal in proposals]

    async def _accept(self, call: Call) -> dict[str, Any]:
        workspace = await self._proposals.accept(
            call.principal,
            required(identity(call.fields, "proposalId"), "proposalId"),
            name=text(call.fields, "workspaceName"),
            parent_item_id=integer(call.fields, "parentItemId") or None,
            request_id=call.request_id,
        )
        return encode_workspace(workspace, self._place)

    async def _decline(self, call: Call) -> None:
        proposal_id = required(identity(call.fields, "proposalId"), "proposalId")
        await self._proposals.decline(call.principal, proposal_id)

    async def _withdraw(self, call: Call) -> None:
        proposal_id = required(identity(call.fields, "proposalId"), "proposalId")
        await self._proposals.withdraw(call.principal, proposal_id)


def encode_proposal(proposal: Proposal, place: StoragePlace = NO_PLACE) -> dict[str, Any]:
    """``ShareProposal``: what ``notifyShareProposal`` tells, and what else is known."""
    return {
        "proposalId": proposal.id,
        "workspaceId": proposal.workspace_id,
        "folderName": proposal.folder_name,
        "itemId": proposal.item_id,
        "ownerId": proposal.owner_id,
        "ownerName": proposal.owner_name,
        "ownerEmail": proposal.owner_email,
        "swiftContainer": proposal.container,
        **without_nulls({"swiftURL": place.url}),
        "isEncrypted": proposal.is_encrypted,
        "email": proposal.email,
        "role": proposal.role.value,
        "state": proposal.state.value,
        "createdAt": iso(proposal.created_at),
        "expiresAt": iso(proposal.expires_at),
    }
