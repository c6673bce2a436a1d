"""The end of an account: what it shared, what it took part in, and what it had.

One transaction, which leaves behind as jobs what is to be done about
containers and about the user in the identity service.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid4, uuid5

from stacksync.db.account_removal import AccountRemovalTable
from stacksync.db.database import Database, Transaction
from stacksync.db.items import held_within
from stacksync.db.locks import Locks, with_locks
from stacksync.db.members import MemberTable
from stacksync.engine.audit.accounts import AccountAudit
from stacksync.engine.audit.shares import ShareAudit
from stacksync.engine.devices import IMPLICIT
from stacksync.engine.sharing.author import Author
from stacksync.engine.sharing.jobs import ShareJobs
from stacksync.engine.sharing.shared_folders import Sharing
from stacksync.engine.sign_in.sign_ins import SignIns
from stacksync.errors import AccountNotFound
from stacksync.model import Principal, Role, SignIn, Workspace


class AccountRemoval:
    """Removes accounts with what is theirs."""

    def __init__(
        self,
        database: Database,
        table: AccountRemovalTable,
        members: MemberTable,
        sharing: Sharing,
        jobs: ShareJobs,
        audit: AccountAudit,
        share_audit: ShareAudit,
        sign_ins: SignIns,
    ) -> None:
        self._database = database
        self._table = table
        self._members = members
        self._sharing = sharing
        self._jobs = jobs
        self._audit = audit
        self._share_audit = share_audit
        self._sign_ins = sign_ins

    async def remove(self, account_id: UUID, *, keep_data: bool) -> None:
        """See :meth:`stacksync.engine.accounts.Accounts.remove`."""

        async def expect() -> Iterable[UUID]:
            return await self._database.transaction(
                "list workspaces", lambda t: self._table.concerned(t, account_id)
            )

        async def work(transaction: Transaction, locks: Locks) -> None:
            found = await self._table.identity(transaction, account_id)
            if found is None:
                raise AccountNotFound(account_id)
            locks.check(*await self._table.concerned(transaction, account_id))
            for workspace in await self._table.shared(transaction, account_id):
                await self._part(transaction, locks, account_id, workspace)
            if not keep_data:
                await self._table.forget_copies(transaction, account_id)
            for workspace_id, container in await self._table.remove_workspaces(
                transaction, account_id
            ):
                if not keep_data:
                    await self._jobs.remove_container(transaction, container, None, 0.0)
                else:
                    # Nobody is a member any more: nobody may reach it.
                    closed = await self._jobs.container(transaction, workspace_id, container)
                    await self._jobs.copy(transaction, container, closed, is_kept=True)
            await self._audit.removed(transaction, account_id, keep_data=keep_data)
            await self._sign_ins.changed(transaction, account_id)
            await self._table.remove(transaction, account_id)
            identity_id, is_ours = found
            if identity_id is not None and is_ours:
                await self._jobs.remove_identity(transaction, identity_id)

        await with_locks(self._database, "remove account", expect, work)

    async def _part(
        self, transaction: Transaction, locks: Locks, account_id: UUID, workspace: Workspace
    ) -> None:
        """Leave somebody's share, or end one's own."""
        owner_id = workspace.owner.id
        assert workspace.root_item_id is not None
        held = await held_within(transaction, owner_id, workspace.root_item_id)
        assert held is not None
        members = await self._members.within(transaction, workspace.id)
        author = Author(uuid5(owner_id, IMPLICIT), uuid4().hex)
        if workspace.role is Role.OWNER:
            # It goes with what is in it, container and all: nothing need move home before.
            leaving = [each for each in members if not each.is_owner]
            await self._sharing.dismiss(transaction, held, leaving, author)
        else:
            leaving = [each for each in members if each.account_id == account_id]
            await self._sharing.part(transaction, locks, held, leaving, author)
        removed = Principal(account_id, SignIn.OPERATOR)
        await self._share_audit.unshared(transaction, removed, held, leaving)
