"""Tells devices what has become of an account's shares.

What is told is what the database says now, not what it said when the job was
made: a hint that comes late tells nothing outdated.
"""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

from attrs import frozen

from stacksync.engine.jobs.handler import Tell
from stacksync.errors import Conflict
from stacksync.events import Event, ShareProposed, Unshared, WorkspaceUpdated
from stacksync.model import Account, Job, Proposal, Workspace


class KnownProposals(Protocol):
    """:mod:`stacksync.db.proposals` has it."""

    async def find(self, proposal_id: UUID) -> Proposal | None: ...


class KnownAccounts(Protocol):
    """:mod:`stacksync.db.accounts` has it."""

    async def by_email(self, email: str) -> Account | None: ...


class KnownMemberships(Protocol):
    """:mod:`stacksync.db.workspaces` has it."""

    async def of_member(self, account_id: UUID, workspace_id: UUID) -> Workspace | None: ...


class Announcer(Protocol):
    """:class:`stacksync.engine.notifier.Notifier`."""

    async def announce(self, event: Event) -> None: ...


@frozen
class NotifyJobs:
    """Does jobs of the kind ``notify``."""

    _proposals: KnownProposals
    _accounts: KnownAccounts
    _workspaces: KnownMemberships
    _notifier: Announcer

    async def run(self, job: Job, tell: Tell) -> None:
        """See :class:`~stacksync.engine.jobs.handler.JobHandler`.

        :raises Unavailable: a front-end can't tell its devices now.
        """
        event = await self._event(job.arguments)
        if event is not None:
            await self._notifier.announce(event)

    async def _event(self, told: dict[str, Any]) -> Event | None:
        """What there is to tell; ``None``: what it is about is gone."""
        match told["event"]:
            case "proposal":
                return await self._proposed(told["request_id"], UUID(told["proposal_id"]))
            case "workspace":
                return await self._updated(
                    told["request_id"], UUID(told["account_id"]), UUID(told["workspace_id"])
                )
            case "unshare":
                return unshared(told)
        raise Conflict(f"devices can't be told of {told['event']!r}: there is no such event")

    async def _proposed(self, request_id: str, proposal_id: UUID) -> ShareProposed | None:
        proposal = await self._proposals.find(proposal_id)
        if proposal is None:
            return None
        addressee = await self._accounts.by_email(proposal.email)
        addressees = () if addressee is None else (addressee.id,)
        return ShareProposed(request_id, proposal, (proposal.owner_id, *addressees))

    async def _updated(
        self, request_id: str, account_id: UUID, workspace_id: UUID
    ) -> WorkspaceUpdated | None:
        workspace = await self._workspaces.of_member(account_id, workspace_id)
        if workspace is None:
            return None
        return WorkspaceUpdated(account_id, request_id, workspace)


def unshared(told: dict[str, Any]) -> Unshared:
    return Unshared(
        account_id=UUID(told["account_id"]),
        request_id=told["request_id"],
        workspace_id=UUID(told["workspace_id"]),
        item_id=told["item_id"],
        folder_name=told["folder_name"],
        owner_id=UUID(told["owner_id"]),
        owner_name=told["owner_name"],
        container=told["container"],
        is_encrypted=told["is_encrypted"],
    )
