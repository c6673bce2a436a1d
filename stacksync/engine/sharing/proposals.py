"""Share proposals: a folder is proposed to somebody, who accepts or declines.

Each operation is one transaction, which leaves behind as jobs what is to be
done about containers and who is to be told.  What sharing itself consists of
is in :mod:`.sharing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from twisted.logger import Logger

from stacksync.db.database import Database, Transaction
from stacksync.db.locks import Locks, with_locks
from stacksync.db.proposals import ProposalTable
from stacksync.db.workspaces import seen_by
from stacksync.engine import validation
from stacksync.engine.access import Access, check_may_share, check_scope
from stacksync.engine.audit.shares import ShareAudit
from stacksync.engine.devices import Devices
from stacksync.engine.item_checks import check_kind
from stacksync.engine.sharing.asking import Ask, Asking
from stacksync.engine.sharing.author import Author, author_of
from stacksync.engine.sharing.places import check_may_hold_mounts
from stacksync.engine.sharing.shared_folders import Home, Sharing
from stacksync.errors import (
    AlreadyAnswered,
    Conflict,
    ItemNotFound,
    ProposalNotFound,
    StackSyncError,
)
from stacksync.model import (
    Addressee,
    Principal,
    Proposal,
    ProposalState,
    Role,
    Workspace,
)

log = Logger()


class Proposals:
    """Operations on share proposals.

    ``request_id`` is what devices are told that the operation belongs to; left
    out, one is made.
    """

    def __init__(
        self,
        database: Database,
        table: ProposalTable,
        access: Access,
        devices: Devices,
        sharing: Sharing,
        asking: Asking,
        audit: ShareAudit,
    ) -> None:
        self._database = database
        self._table = table
        self._access = access
        self._devices = devices
        self._sharing = sharing
        self._asking = asking
        self._audit = audit

    async def propose(
        self,
        principal: Principal,
        folder_id: int,
        emails: Sequence[str],
        *,
        role: Role = Role.EDITOR,
        is_encrypted: bool = False,
        request_id: str | None = None,
    ) -> tuple[Addressee, ...]:
        """Ask people to take part in a folder; tells its owner and those of them we know.

        Whoever is a member already is left alone, unless the owner says
        another role.  Whoever was asked before and has not answered is asked
        this instead.

        :param is_encrypted: the folder's devices will encrypt what is in it.
        :raises ItemNotFound: no such folder, or in no workspace of the principal's.
        :raises ItemDeleted: it is in the trash.
        :raises Forbidden: the principal may only look.
        :raises NestedShare: it stands in a shared folder, or has one in it.
        :raises Conflict: more people than may take part, or it can't be encrypted.
        :raises InvalidRequest: no usable e-mails, or nobody is left of them.
        :raises Unavailable: the database is away.
        """
        check_scope(principal)
        author = await author_of(self._devices, principal, request_id)
        return await self._asking.propose(
            principal, folder_id, emails, Ask(role, is_encrypted, author)
        )

    async def waiting(self, principal: Principal) -> tuple[Proposal, ...]:
        """What waits for the principal's answer, oldest first."""
        return await self._table.addressed_to(principal.account_id)

    async def of_folder(self, principal: Principal, folder_id: int) -> tuple[Proposal, ...]:
        """Whom a folder is proposed to, as far as they have not answered.

        :raises ItemNotFound: no such folder, or in no workspace of the principal's.
        :raises Forbidden: the principal may only look.
        """
        held = await self._access.item(principal, folder_id)
        check_kind(held.item, True)
        check_may_share(held.workspace)
        return await self._table.of_item(folder_id)

    async def accept(
        self,
        principal: Principal,
        proposal_id: UUID,
        *,
        name: str | None = None,
        parent_item_id: int | None = None,
        request_id: str | None = None,
    ) -> Workspace:
        """Become a member; again by the same member: the same answer.

        The first acceptance makes the folder a workspace of its own.

        :param name: what the folder is to be called here; left out, a free name like its own.
        :param parent_item_id: a folder of the principal's own to mount it in;
            ``None`` or 0: the root of the default workspace.
        :raises ProposalNotFound: no such proposal, or not to the principal.
        :raises AlreadyAnswered: it was declined or withdrawn, or has expired.
        :raises ItemDeleted, NestedShare, Conflict: the folder can't be shared any more.
        :raises ParentNotFound: no such folder of the principal's.
        :raises NameTaken: something has the name there.
        :raises InvalidRequest: nothing can have this name.
        :raises Unavailable: the database is away.
        """
        check_scope(principal)
        if name is not None:
            validation.check_name("name", name)
        author = await author_of(self._devices, principal, request_id)
        home: Home | None = None

        async def expect() -> Iterable[UUID]:
            nonlocal home
            proposal = await self._addressed(principal, proposal_id)
            home = await self._home(principal, parent_item_id, name)
            held = await self._table.place_of(proposal.item_id)
            return {home.workspace_id, proposal.workspace_id, *held}

        async def work(transaction: Transaction, locks: Locks) -> Workspace:
            assert home is not None
            return await self._accepted(transaction, locks, principal, proposal_id, home, author)

        return await with_locks(self._database, "accept share", expect, work)

    async def accept_all(self, principal: Principal) -> None:
        """Accept whatever waits, as far as that goes: for accounts whose clients can't."""
        for proposal in await self.waiting(principal):
            try:
                await self.accept(principal, proposal.id)
            except StackSyncError as error:
                log.info(
                    "proposal {proposal_id} waits for its addressee: {problem}",
                    proposal_id=proposal.id,
                    problem=str(error),
                )

    async def decline(self, principal: Principal, proposal_id: UUID) -> Proposal:
        """Say no; again: the same answer.

        :raises ProposalNotFound: no such proposal, or not to the principal.
        :raises AlreadyAnswered: it was accepted or withdrawn, or has expired.
        """
        await self._addressed(principal, proposal_id)
        return await self._end(principal, proposal_id, ProposalState.DECLINED)

    async def withdraw(self, principal: Principal, proposal_id: UUID) -> Proposal:
        """Take a proposal back; again: the same answer.

        :raises ProposalNotFound: no such proposal, or the folder is not the principal's.
        :raises Forbidden: the principal may only look.
        :raises AlreadyAnswered: it was accepted or declined, or has expired.
        """
        proposal = await self._table.find(proposal_id)
        if proposal is None:
            raise ProposalNotFound(proposal_id)
        try:
            held = await self._access.item(principal, proposal.item_id)
        except ItemNotFound:
            raise ProposalNotFound(proposal_id) from None
        check_may_share(held.workspace)
        return await self._end(principal, proposal_id, ProposalState.WITHDRAWN)

    async def _end(self, principal: Principal, proposal_id: UUID, state: ProposalState) -> Proposal:
        check_scope(principal)

        async def work(transaction: Transaction) -> Proposal:
            proposal = await self._table.locked(transaction, proposal_id)
            if proposal is None:
                raise ProposalNotFound(proposal_id)
            if proposal.state is state:
                return proposal
            check_pending(proposal)
            await self._table.answer(transaction, proposal_id, state)
            await self._audit.ended(transaction, principal, proposal, state)
            ended = await self._table.locked(transaction, proposal_id)
            assert ended is not None
            return ended

        return await self._database.transaction("end proposal", work, repeatable=True)

    async def _accepted(
        self,
        transaction: Transaction,
        locks: Locks,
        principal: Principal,
        proposal_id: UUID,
        home: Home,
        author: Author,
    ) -> Workspace:
        proposal = await self._table.locked(transaction, proposal_id)
        if proposal is None:
            raise ProposalNotFound(proposal_id)
        seen = await seen_by(transaction, principal.account_id, proposal.workspace_id)
        if proposal.state is ProposalState.ACCEPTED and seen is not None:
            return seen
        check_pending(proposal)
        if proposal.owner_id == principal.account_id:
            raise Conflict(f"folder {proposal.item_id} is the principal's own")
        if seen is not None:
            # It has become a member by a proposal to an e-mail that it had before.
            await self._table.answer(transaction, proposal_id, ProposalState.ACCEPTED)
        else:
            seen = await self._sharing.join(
                transaction, locks, proposal, principal.account_id, home, author
            )
        await self._audit.accepted(transaction, principal, proposal)
        return seen

    async def _addressed(self, principal: Principal, proposal_id: UUID) -> Proposal:
        """The proposal, if it is the principal's to answer."""
        proposal = await self._table.find(proposal_id, addressee=principal.account_id)
        if proposal is None:
            raise ProposalNotFound(proposal_id)
        return proposal

    async def _home(self, principal: Principal, parent_id: int | None, name: str | None) -> Home:
        if not parent_id:
            return Home((await self._access.default_workspace(principal)).id, None, name)
        held = await self._access.parent(principal, parent_id)
        check_may_hold_mounts(held.workspace)
        return Home(held.workspace.id, parent_id, name)


def check_pending(proposal: Proposal) -> None:
    """:raises AlreadyAnswered: it does not wait for an answer any more."""
    if proposal.state is not ProposalState.PENDING:
        raise AlreadyAnswered(f"proposal {proposal.id} is {proposal.state.value} already")
