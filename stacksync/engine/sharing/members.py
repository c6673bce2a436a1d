"""Who takes part in a shared folder, and how that ends.

Each operation is one transaction; see :mod:`.proposals`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from stacksync.db.accounts import AccountTable
from stacksync.db.database import Database, Transaction
from stacksync.db.items import HeldItem, held_within
from stacksync.db.locks import Locks, with_locks
from stacksync.db.members import MemberTable
from stacksync.db.proposals import ProposalTable
from stacksync.engine.access import Access, check_may_share, check_scope
from stacksync.engine.audit.shares import ShareAudit
from stacksync.engine.devices import Devices
from stacksync.engine.item_checks import check_kind
from stacksync.engine.sharing.addressees import check_any, distinct, folded
from stacksync.engine.sharing.author import Author, author_of
from stacksync.engine.sharing.places import locked_item, nested_in
from stacksync.engine.sharing.shared_folders import Sharing
from stacksync.errors import (
    InvalidRequest,
    SharedFolder,
)
from stacksync.model import (
    Addressee,
    AddresseeState,
    Member,
    Principal,
    ProposalState,
    Role,
)

T = TypeVar("T")


class Members:
    """Operations on the members of a folder's workspace."""

    def __init__(
        self,
        database: Database,
        table: MemberTable,
        proposals: ProposalTable,
        accounts: AccountTable,
        access: Access,
        devices: Devices,
        sharing: Sharing,
        audit: ShareAudit,
    ) -> None:
        self._accounts = accounts
        self._database = database
        self._table = table
        self._proposals = proposals
        self._access = access
        self._devices = devices
        self._sharing = sharing
        self._audit = audit

    async def list(self, principal: Principal, folder_id: int) -> tuple[Member, ...]:
        """Who can see a folder, the owner first: of a private one nobody else.

        :raises ItemNotFound: no such folder, or in no workspace of the principal's.
        """
        held = await self._access.item(principal, folder_id)
        check_kind(held.item, True)
        return await self._table.of_workspace(held.workspace.id)

    async def unshare(
        self,
        principal: Principal,
        folder_id: int,
        emails: Sequence[str],
        *,
        request_id: str | None = None,
    ) -> tuple[Addressee, ...]:
        """Let people take part no more, and take proposals to them back.

        The principal's own e-mail and unknown ones are passed over.  When the
        last guest goes, the folder becomes private again; for the one exception
        see :meth:`.sharing.Sharing.part`.

        :raises ItemNotFound: no such folder, or in no workspace of the principal's.
        :raises Forbidden: the principal may only look.
        :raises NestedShare: it stands in a shared folder: that one can be unshared.
        :raises InvalidRequest: one is the owner's e-mail, or nobody is left of them.
        :raises Unavailable: the database is away.
        """
        check_scope(principal)
        addresses = distinct(emails)
        author = await author_of(self._devices, principal, request_id)

        async def work(
            transaction: Transaction, locks: Locks, held: HeldItem
        ) -> tuple[Addressee, ...]:
            check_may_share(held.workspace)
            check_not_within(held)
            owner = held.workspace.owner
            if folded(owner.email) in addresses and owner.id != principal.account_id:
                email = addresses[folded(owner.email)]
                raise InvalidRequest("emails", f"{email} corresponds with owner of the folder.")
            pending = await self._proposals.pending(transaction, held.item.id)
            withdrawn = [each for each in pending if folded(each.email) in addresses]
            leaving: list[Member] = []
            if held.is_shared_folder:
                leaving = [
                    each
                    for each in await self._table.within(transaction, held.workspace.id)
                    if folded(each.email) in addresses
                    and not each.is_owner
                    and each.account_id != principal.account_id
                ]
            alive = [each for each in withdrawn if each.state is ProposalState.PENDING]
            check_any([*leaving, *alive])
            for proposal in withdrawn:
                await self._proposals.answer(transaction, proposal.id, ProposalState.WITHDRAWN)
                await self._audit.ended(transaction, principal, proposal, ProposalState.WITHDRAWN)
            if leaving:
                await self._part(transaction, locks, held, leaving, author)
                await self._audit.unshared(transaction, principal, held, leaving)
            gone = {folded(each.email) for each in leaving}
            return (
                *(Addressee(each.email, each.name, AddresseeState.REMOVED) for each in leaving),
                *(
                    Addressee(each.email, None, AddresseeState.REMOVED)
                    for each in alive
                    if folded(each.email) not in gone
                ),
            )

        return await self._settled(principal, folder_id, "unshare", work)

    async def leave(
        self, principal: Principal, folder_id: int, *, request_id: str | None = None
    ) -> None:
        """Take part no more, by one's own will.

        :raises ItemNotFound: no such folder, or the principal is no member of it (any more).
        :raises SharedFolder: it is the principal's own, or not shared.
        :raises NestedShare: it stands in a shared folder: that one can be left.
        """
        check_scope(principal)
        author = await author_of(self._devices, principal, request_id)

        async def work(transaction: Transaction, locks: Locks, held: HeldItem) -> None:
            check_not_within(held)
            if held.workspace.role is Role.OWNER:
                raise SharedFolder(
                    f"folder {folder_id} is the principal's own: it can be unshared, not left"
                )
            members = await self._table.within(transaction, held.workspace.id)
            leaving = [each for each in members if each.account_id == principal.account_id]
            await self._part(transaction, locks, held, leaving, author)
            await self._audit.unshared(transaction, principal, held, leaving)

        await self._settled(principal, folder_id, "leave share", work)

    async def _part(
        self,
        transaction: Transaction,
        locks: Locks,
        held: HeldItem,
        leaving: Sequence[Member],
        author: Author,
    ) -> None:
        seen = await held_within(transaction, held.workspace.owner.id, held.item.id)
        assert seen is not None
        await self._sharing.part(transaction, locks, seen, leaving, author)

    async def _settled(
        self,
        principal: Principal,
        folder_id: int,
        label: str,
        work: Callable[[Transaction, Locks, HeldItem], Awaitable[T]],
    ) -> T:
        """Run a piece of work on a folder, with what it needs locked."""

        async def expect() -> Iterable[UUID]:
            held = await self._access.item(principal, folder_id)
            check_kind(held.item, True)
            private = await self._accounts.private_workspaces(held.workspace.owner.id)
            return {held.workspace.id, *private}

        async def locked(transaction: Transaction, locks: Locks) -> T:
            held = await locked_item(transaction, locks, principal.account_id, folder_id)
            return await work(transaction, locks, held)

        return await with_locks(self._database, label, expect, locked)


def check_not_within(held: HeldItem) -> None:
    """:raises NestedShare: it stands in a shared folder."""
    if held.workspace.is_shared and not held.is_shared_folder:
        raise nested_in(held.item, held.workspace)
