"""Who takes part in a shared folder, and how that ends.

Each operation is one transaction; see :mod:`.proposals`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar
from uuid import UUID, uuid4

from stacksync.db.accounts import AccountTable
from stacksync.db.database import Database, Transaction
from stacksync.db.items import HeldItem, held_within
from stacksync.db.locks import Locks, with_locks
from stacksync.db.members import MemberTable
from stacksync.db.moves import workspace_of
from stacksync.db.proposals import ProposalTable
from stacksync.engine import validation
from stacksync.engine.access import Access, check_may_share
from stacksync.engine.addressees import check_any, distinct
from stacksync.engine.devices import Devices
from stacksync.engine.item_checks import check_kind
from stacksync.engine.share_checks import nested_in
from stacksync.engine.sharing import Author, Sharing
from stacksync.errors import (
    InvalidRequest,
    ItemNotFound,
    SharedFolder,
)
from stacksync.model import (
    Addressee,
    AddresseeState,
    Member,
    Principal,
    Proposal,
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
    ) -> None:
        self._accounts = accounts
        self._database = database
        self._table = table
        self._proposals = proposals
        self._access = access
        self._devices = devices
        self._sharing = sharing

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
        last guest goes, the folder becomes private again.

        :raises ItemNotFound: no such folder, or in no workspace of the principal's.
        :raises Forbidden: the principal may only look.
        :raises NestedShare: it stands in a shared folder: that one can be unshared.
        :raises InvalidRequest: one is the owner's e-mail, or nobody is left of them.
        :raises Unavailable: the database is away.
        """
        addresses = distinct(emails)
        author = await self._author(principal, request_id)

        async def work(
            transaction: Transaction, locks: Locks, held: HeldItem
        ) -> tuple[Addressee, ...]:
            check_may_share(held.workspace)
            if held.workspace.is_shared and not is_own(held):
                raise nested_in(held.item, held.workspace)
            owner = held.workspace.owner
            if owner.email.lower() in addresses and owner.id != principal.account_id:
                email = addresses[owner.email.lower()]
                raise InvalidRequest("emails", f"{email} corresponds with owner of the folder.")
            pending = await self._proposals.pending(transaction, held.item.id)
            withdrawn = [each for each in pending if each.email.lower() in addresses]
            leaving: list[Member] = []
            if is_own(held):
                leaving = [
                    each
                    for each in await self._table.within(transaction, held.workspace.id)
                    if each.email.lower() in addresses
                    and not each.is_owner
                    and each.account_id != principal.account_id
                ]
            alive = [each for each in withdrawn if each.state is ProposalState.PENDING]
            check_any([*leaving, *alive])
            for proposal in withdrawn:
                await self._withdraw(transaction, proposal)
            if leaving:
                await self._part(transaction, locks, held, leaving, author)
            gone = {each.email.lower() for each in leaving}
            return (
                *(Addressee(each.email, each.name, AddresseeState.REMOVED) for each in leaving),
                *(
                    Addressee(each.email, None, AddresseeState.REMOVED)
                    for each in alive
                    if each.email.lower() not in gone
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
        author = await self._author(principal, request_id)

        async def work(transaction: Transaction, locks: Locks, held: HeldItem) -> None:
            if held.workspace.is_shared and not is_own(held):
                raise nested_in(held.item, held.workspace)
            if held.workspace.role is Role.OWNER:
                raise SharedFolder(
                    f"folder {folder_id} is the principal's own: it can be unshared, not left"
                )
            members = await self._table.within(transaction, held.workspace.id)
            leaving = [each for each in members if each.account_id == principal.account_id]
            await self._part(transaction, locks, held, leaving, author)

        await self._settled(principal, folder_id, "leave share", work)

    async def _withdraw(self, transaction: Transaction, proposal: Proposal) -> None:
        await self._proposals.answer(transaction, proposal.id, ProposalState.WITHDRAWN)

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
            where = await workspace_of(transaction, folder_id)
            if where is not None:
                locks.check(where)
            held = await held_within(transaction, principal.account_id, folder_id)
            if held is None:
                raise ItemNotFound(folder_id)
            return await work(transaction, locks, held)

        return await with_locks(self._database, label, expect, locked)

    async def _author(self, principal: Principal, request_id: str | None) -> Author:
        if request_id is not None:
            validation.check_request_id(request_id)
        return Author(await self._devices.acting(principal), request_id or uuid4().hex)


def is_own(held: HeldItem) -> bool:
    """Whether this is the folder that a shared workspace consists of."""
    return held.workspace.is_shared and held.workspace.root_item_id == held.item.id
