"""Asking people to take part in a folder.

One transaction, which leaves behind as jobs who is to be told.  How they
answer is in :mod:`.proposals`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID, uuid4

from attrs import frozen

from stacksync.db.accounts import AccountTable
from stacksync.db.database import Database, Transaction
from stacksync.db.items import HeldItem
from stacksync.db.locks import Locks, with_locks
from stacksync.db.members import MemberTable
from stacksync.db.proposals import NewProposal, ProposalTable
from stacksync.engine.access import Access, check_may_share
from stacksync.engine.audit.shares import ShareAudit
from stacksync.engine.item_checks import check_kind
from stacksync.engine.sharing.addressees import check_any, distinct, folded
from stacksync.engine.sharing.author import Author
from stacksync.engine.sharing.jobs import ShareJobs
from stacksync.engine.sharing.places import check_may_become_encrypted, check_shareable, locked_item
from stacksync.engine.sharing.shared_folders import Home, Sharing, SharingSettings
from stacksync.errors import Conflict, InvalidRequest
from stacksync.model import (
    Account,
    Addressee,
    AddresseeState,
    Member,
    Principal,
    ProposalState,
    Role,
    Workspace,
)


@frozen
class Ask:
    """What a request asks of the addressees that are left of it."""

    role: Role
    is_encrypted: bool
    author: Author


class Asking:
    """Makes proposals, or, where nobody need answer, members."""

    def __init__(
        self,
        database: Database,
        table: ProposalTable,
        members: MemberTable,
        accounts: AccountTable,
        access: Access,
        sharing: Sharing,
        jobs: ShareJobs,
        settings: SharingSettings,
        audit: ShareAudit,
    ) -> None:
        self._database = database
        self._table = table
        self._members = members
        self._accounts = accounts
        self._access = access
        self._sharing = sharing
        self._jobs = jobs
        self._settings = settings
        self._audit = audit

    async def propose(
        self, principal: Principal, folder_id: int, emails: Sequence[str], ask: Ask
    ) -> tuple[Addressee, ...]:
        """See :meth:`.proposals.Proposals.propose`."""
        if ask.role is Role.OWNER:
            raise InvalidRequest("role", "a folder has one owner")
        addresses = distinct(emails)
        homes = await self._homes(addresses)

        async def expect() -> Iterable[UUID]:
            held = await self._access.item(principal, folder_id)
            return {held.workspace.id, *(home.workspace_id for _, home in homes.values())}

        async def work(transaction: Transaction, locks: Locks) -> tuple[Addressee, ...]:
            held = await self._folder(transaction, locks, principal, folder_id)
            return await self._ask_all(transaction, locks, principal, held, addresses, ask, homes)

        return await with_locks(self._database, "share", expect, work)

    async def _ask_all(
        self,
        transaction: Transaction,
        locks: Locks,
        principal: Principal,
        held: HeldItem,
        addresses: dict[str, str],
        ask: Ask,
        homes: dict[str, tuple[Account, Home]],
    ) -> tuple[Addressee, ...]:
        workspace = held.workspace
        members = {
            folded(each.email): each
            for each in await self._members.within(transaction, workspace.id)
        }
        pending = {
            folded(each.email): each
            for each in await self._table.pending(transaction, held.item.id)
        }
        changed = [
            members[key]
            for key in addresses
            if key in members and may_change(principal, workspace, members[key], ask.role)
        ]
        asked = {key: email for key, email in addresses.items() if key not in members}
        check_any([*changed, *asked])
        is_encrypted = await self._encryption(transaction, held, ask)
        alive = {key for key, each in pending.items() if each.state is ProposalState.PENDING}
        self._check_number(len(members) + len(alive | asked.keys()))

        told: list[Addressee] = []
        for member in changed:
            await self._members.set_role(transaction, workspace.id, member.account_id, ask.role)
            await self._jobs.tell_workspace(
                transaction, member.account_id, workspace.id, ask.author.request_id
            )
            await self._audit.role_changed(transaction, principal, held, member, ask.role)
            told.append(Addressee(member.email, member.name, AddresseeState.MEMBER))
        if asked:
            await self._audit.proposed(transaction, principal, held, ask.role, [*asked.values()])
        if changed:
            await self._jobs.container(transaction, workspace.id, workspace.container)
        workspace_id = (
            workspace.id
            if workspace.is_shared
            else next((each.workspace_id for each in pending.values()), uuid4())
        )
        for key, email in asked.items():
            new = NewProposal(
                held.item.id, workspace_id, workspace.owner.id, email, ask.role, is_encrypted,
                self._settings.proposal_expire,
            )  # fmt: skip
            proposal_id = await self._table.put(transaction, new)
            await self._jobs.tell_proposal(
                transaction, workspace.owner.id, proposal_id, ask.author.request_id
            )
            if key not in homes:
                told.append(Addressee(email, None, AddresseeState.INVITED))
                continue
            account, home = homes[key]
            proposal = await self._table.locked(transaction, proposal_id)
            assert proposal is not None
            await self._sharing.join(transaction, locks, proposal, account.id, home, ask.author)
            await self._audit.accepted(transaction, principal, proposal, account.id)
            told.append(Addressee(account.email, account.name, AddresseeState.MEMBER))
        return tuple(told)

    def _check_number(self, number: int) -> None:
        most = self._settings.max_members
        if number > most:
            raise Conflict(
                f"at most {most} people can take part in a folder, those who are asked included;"
                f" with these there would be {number}"
            )

    async def _encryption(self, transaction: Transaction, held: HeldItem, ask: Ask) -> bool:
        """Whether the folder's workspace is, or will be, encrypted by its devices."""
        if held.workspace.is_encrypted:
            return True
        if ask.is_encrypted:
            if held.workspace.is_shared:
                raise Conflict(
                    f"folder {held.item.id} is shared already, and is not encrypted", held.item
                )
            await check_may_become_encrypted(transaction, held)
        return ask.is_encrypted

    async def _folder(
        self, transaction: Transaction, locks: Locks, principal: Principal, folder_id: int
    ) -> HeldItem:
        """The folder, if it can be shared, and by this principal."""
        held = await locked_item(transaction, locks, principal.account_id, folder_id)
        check_kind(held.item, True)
        check_may_share(held.workspace)
        await check_shareable(transaction, held)
        return held

    async def _homes(self, addresses: dict[str, str]) -> dict[str, tuple[Account, Home]]:
        """Where those are at home who need not be asked, by address."""
        found: dict[str, tuple[Account, Home]] = {}
        if self._settings.auto_accept:
            for key in addresses:
                account = await self._accounts.by_email(key)
                if account is not None:
                    for workspace_id in (await self._accounts.private_workspaces(account.id))[:1]:
                        found[key] = (account, Home(workspace_id))
        return found


def may_change(principal: Principal, workspace: Workspace, member: Member, role: Role) -> bool:
    """Whether the principal gives this member another role by asking again."""
    is_owner = workspace.owner.id == principal.account_id
    return is_owner and not member.is_owner and member.role is not role
