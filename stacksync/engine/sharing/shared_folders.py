"""A folder becomes a workspace of its own, with members, and a private one again.

Within the transactions of :mod:`.proposals` and :mod:`.members`, which say
when; nothing here looks at who asks.  Container, access list, copies and
notifications are jobs of the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from attrs import frozen

from stacksync.db import mounts, moves
from stacksync.db.database import Transaction
from stacksync.db.items import HeldItem, held_within
from stacksync.db.locks import Locks
from stacksync.db.members import MemberTable, NewWorkspace
from stacksync.db.moves import Move
from stacksync.db.proposals import ProposalTable
from stacksync.db.workspaces import default_within, seen_by
from stacksync.engine.sharing.author import Author
from stacksync.engine.sharing.jobs import ShareJobs
from stacksync.engine.sharing.moves import Moves
from stacksync.engine.sharing.places import (
    check_may_become_encrypted,
    check_may_hold_mounts,
    check_shareable,
)
from stacksync.errors import (
    Conflict,
    NameTaken,
    ParentNotFound,
    ProposalNotFound,
    WorkspaceNotFound,
)
from stacksync.model import (
    Member,
    Proposal,
    ProposalState,
    Role,
    Workspace,
)


class SharingSettings(Protocol):
    """What the operator says of sharing; ``stacksync.config`` has it."""

    @property
    def auto_accept(self) -> bool: ...
    @property
    def proposal_expire(self) -> float: ...
    @property
    def max_members(self) -> int: ...
    @property
    def keep_container(self) -> float: ...


@frozen
class Home:
    """Where a member mounts a folder: in a private workspace of its own.

    :ivar name: the name that it must have; ``None``: a free one like the folder's.
    """

    workspace_id: UUID
    parent_id: int | None = None
    name: str | None = None


class Sharing:
    """The steps that sharing and unsharing consist of."""

    def __init__(
        self,
        members: MemberTable,
        proposals: ProposalTable,
        moves: Moves,
        jobs: ShareJobs,
        settings: SharingSettings,
    ) -> None:
        self._members = members
        self._proposals = proposals
        self._moves = moves
        self._jobs = jobs
        self._settings = settings

    async def join(
        self,
        transaction: Transaction,
        locks: Locks,
        proposal: Proposal,
        account_id: UUID,
        home: Home,
        author: Author,
    ) -> Workspace:
        """Make somebody a member as proposed, and the folder a workspace if it is none yet.

        :raises ItemDeleted, NestedShare, Conflict: the folder can't be shared (any more).
        :raises ParentNotFound: the member has no such folder.
        :raises NameTaken: the name that it must have is taken there.
        """
        held = await self.folder(transaction, locks, proposal)
        workspace = held.workspace
        is_new = not workspace.is_shared
        if is_new:
            workspace = await self._make_shared(transaction, proposal, held, author)
        await self._mount(transaction, locks, workspace, proposal.role, account_id, home)
        await self._proposals.answer(transaction, proposal.id, ProposalState.ACCEPTED)
        if not is_new:
            await self._jobs.container(transaction, workspace.id, workspace.container)
        for told in dict.fromkeys([account_id, workspace.owner.id]):
            await self._jobs.tell_workspace(transaction, told, workspace.id, author.request_id)
        seen = await seen_by(transaction, account_id, workspace.id)
        assert seen is not None
        return seen

    async def folder(self, transaction: Transaction, locks: Locks, proposal: Proposal) -> HeldItem:
        """The folder of a proposal as its owner has it, which can be shared as things are.

        :raises ItemDeleted, NestedShare, Conflict, ProposalNotFound: it can't.
        """
        where = await moves.workspace_of(transaction, proposal.item_id)
        if where is None:
            raise ProposalNotFound(proposal.id)
        locks.check(where)
        held = await held_within(transaction, proposal.owner_id, proposal.item_id)
        if held is None or held.workspace.role is not Role.OWNER:
            raise Conflict(
                f"folder {proposal.item_id} is not {proposal.owner_name}'s any more: it cannot be"
                " shared by this proposal"
            )
        await check_shareable(transaction, held)
        return held

    async def _make_shared(
        self, transaction: Transaction, proposal: Proposal, held: HeldItem, author: Author
    ) -> Workspace:
        folder, private = held.item, held.workspace
        if proposal.is_encrypted and not private.is_encrypted:
            await check_may_become_encrypted(transaction, held)
        new = NewWorkspace(
            proposal.workspace_id,
            private.owner.id,
            folder.id,
            private.is_encrypted or proposal.is_encrypted,
        )
        await self._members.add_workspace(transaction, new)
        await self._members.add(
            transaction, new.id, private.owner.id, Role.OWNER, folder.name, folder.parent_id
        )
        await mounts.note_mounts(transaction, private.id)
        workspace = await seen_by(transaction, private.owner.id, new.id)
        assert workspace is not None
        container = await self._jobs.container(transaction, new.id, new.container)
        move = Move(
            item_id=folder.id,
            source_id=private.id,
            target_id=new.id,
            parent_id=None,
            name=folder.name,
            mounts_of=None,
            device_id=author.device_id,
            request_id=author.move_id,
        )
        await self._moves.carry_out(transaction, move, private, workspace, after_job=container)
        return workspace

    async def _mount(
        self,
        transaction: Transaction,
        locks: Locks,
        workspace: Workspace,
        role: Role,
        account_id: UUID,
        home: Home,
    ) -> None:
        """Give a member its place for a folder; locks its private workspace's names."""
        locks.check(home.workspace_id)
        private = await seen_by(transaction, account_id, home.workspace_id)
        if private is None:
            raise WorkspaceNotFound(home.workspace_id)
        check_may_hold_mounts(private)
        if home.parent_id is not None and not await moves.is_live_folder(
            transaction, private.id, home.parent_id
        ):
            raise ParentNotFound(home.parent_id)
        name = home.name or workspace.name
        free = await mounts.free_name(transaction, private.id, home.parent_id, name, account_id)
        if home.name is not None and free != name:
            raise NameTaken(f"there is something named {name!r} in this folder already")
        await self._members.add(transaction, workspace.id, account_id, role, free, home.parent_id)
        await mounts.note_mounts(transaction, private.id)

    async def part(
        self,
        transaction: Transaction,
        locks: Locks,
        held: HeldItem,
        leaving: Sequence[Member],
        author: Author,
    ) -> None:
        """Guests are members no more; with the last one the folder becomes private again.

        Unless what is in it, or was, is encrypted, and nothing else of the owner's is:
        where it would go, it would be taken for what it is not.

        :param held: the folder, in its own workspace, as its owner sees it.
        """
        workspace, folder = held.workspace, held.item
        await self.dismiss(transaction, held, leaving, author)
        await self._jobs.container(transaction, workspace.id, workspace.container)
        if len(await self._members.within(transaction, workspace.id)) == 1:
            private = await self._private(transaction, locks, workspace)
            if workspace.is_encrypted is not private.is_encrypted and not await moves.is_empty(
                transaction, workspace.id, folder.id
            ):
                return
            await self._make_private(transaction, held, private, author)
            await self._jobs.tell_unshared(
                transaction, workspace.owner.id, workspace, folder, author.request_id
            )

    async def dismiss(
        self, transaction: Transaction, held: HeldItem, leaving: Sequence[Member], author: Author
    ) -> None:
        """Guests are members no more, and hear of it; all else is the caller's.

        :param held: see :meth:`part`.
        """
        for member in leaving:
            await self._members.remove(transaction, held.workspace.id, member.account_id)
            await self._jobs.disconnect(transaction, member)
            await self._jobs.tell_unshared(
                transaction, member.account_id, held.workspace, held.item, author.request_id
            )

    async def _make_private(
        self, transaction: Transaction, held: HeldItem, private: Workspace, author: Author
    ) -> None:
        """The folder goes to where its owner has mounted it; its workspace ends."""
        shared, owner = held.workspace, held.workspace.owner
        parent = shared.parent_item_id
        # Its own mount must not be in its way.
        await mounts.set_mount(transaction, owner.id, shared.id, "", None)
        name = await mounts.free_name(transaction, private.id, parent, shared.name, owner.id)
        move = Move(
            item_id=held.item.id,
            source_id=shared.id,
            target_id=private.id,
            parent_id=parent,
            name=name,
            mounts_of=None,
            device_id=author.device_id,
            request_id=author.move_id,
        )
        arrival = await self._moves.carry_out(transaction, move, shared, private)
        await self._members.remove_workspace(transaction, shared.id)
        await self._proposals.allocate_anew(transaction, held.item.id)
        await self._jobs.remove_container(
            transaction, shared.container, arrival.copy_job, self._settings.keep_container
        )

    async def _private(
        self, transaction: Transaction, locks: Locks, shared: Workspace
    ) -> Workspace:
        """The owner's private workspace in which a shared one is mounted."""
        found = None
        if shared.parent_item_id is not None:
            parent = await held_within(transaction, shared.owner.id, shared.parent_item_id)
            found = parent.workspace if parent is not None else None
        if found is None:
            found = await default_within(transaction, shared.owner.id)
        if found is None:
            raise WorkspaceNotFound("the owner's default one")
        locks.check(found.id)
        return found
