"""What the audit says of sharing: who asked whom into which folder, who came, and who went.

Written in the transactions of :mod:`.asking`, :mod:`.proposals`, :mod:`.members`
and :mod:`.removal`, which say when.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from stacksync.db.database import Transaction
from stacksync.db.items import HeldItem
from stacksync.engine.audit import Audit
from stacksync.model import AuditKind, Member, Principal, Proposal, ProposalState, Role

ENDS = {
    ProposalState.DECLINED: AuditKind.SHARE_DECLINED,
    ProposalState.WITHDRAWN: AuditKind.SHARE_WITHDRAWN,
}


class ShareAudit:
    """Writes down what principals do about who takes part in folders."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def proposed(
        self,
        transaction: Transaction,
        principal: Principal,
        held: HeldItem,
        role: Role,
        emails: Sequence[str],
    ) -> None:
        """The principal has asked these people to take part."""
        await self._audit.record_done(
            transaction,
            AuditKind.SHARE_PROPOSED,
            principal,
            **folder(held),
            role=role.value,
            to=list(emails),
        )

    async def role_changed(
        self,
        transaction: Transaction,
        principal: Principal,
        held: HeldItem,
        member: Member,
        role: Role,
    ) -> None:
        """The principal has given a member another role."""
        await self._audit.record_done(
            transaction,
            AuditKind.ROLE_CHANGED,
            principal,
            member.account_id,
            **folder(held),
            role=role.value,
        )

    async def accepted(
        self,
        transaction: Transaction,
        principal: Principal,
        proposal: Proposal,
        account_id: UUID | None = None,
    ) -> None:
        """The principal takes part.

        :param account_id: it is this account that does, without being asked, as the operator
            wants; the principal has proposed it.
        """
        unasked: dict[str, Any] = {} if account_id is None else {"unasked": True}
        await self._audit.record_done(
            transaction,
            AuditKind.SHARE_ACCEPTED,
            principal,
            account_id,
            **proposed_folder(proposal),
            role=proposal.role.value,
            **unasked,
        )

    async def ended(
        self,
        transaction: Transaction,
        principal: Principal,
        proposal: Proposal,
        state: ProposalState,
    ) -> None:
        """The principal has declined what was proposed, or has taken it back."""
        await self._audit.record_done(
            transaction,
            ENDS[state],
            principal,
            **proposed_folder(proposal),
            to=[proposal.email],
        )

    async def unshared(
        self,
        transaction: Transaction,
        principal: Principal,
        held: HeldItem,
        members: Iterable[Member],
    ) -> None:
        """These take part no more, because the principal says so."""
        for member in members:
            await self._audit.record_done(
                transaction, AuditKind.UNSHARED, principal, member.account_id, **folder(held)
            )


def folder(held: HeldItem) -> dict[str, Any]:
    """Which folder, as the one who acts calls it."""
    workspace = held.workspace
    name = workspace.name if held.is_shared_folder else held.item.name
    return {
        "folder_id": held.item.id,
        "folder": name,
        "owner": workspace.owner.email,
    }


def proposed_folder(proposal: Proposal) -> dict[str, Any]:
    """Which folder, as its owner calls it."""
    return {
        "folder_id": proposal.item_id,
        "folder": proposal.folder_name,
        "owner": proposal.owner_email,
    }
