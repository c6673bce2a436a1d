"""Accounts: people, their e-mail, quota and password hash."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from stacksync.db.accounts import AccountTable
from stacksync.db.database import Database, Transaction
from stacksync.engine import validation
from stacksync.engine.audit.accounts import AccountAudit
from stacksync.engine.removal import AccountRemoval
from stacksync.engine.sharing.addressees import folded
from stacksync.engine.sharing.proposals import Proposals
from stacksync.engine.sign_in.sign_ins import SignIns
from stacksync.errors import AccountNotFound, InvalidRequest
from stacksync.model import Account, Principal, SignIn

FIRST_WORKSPACE = "StackSync"
"""What the workspace that every account begins with is called."""


class Accounts:
    """Operations on accounts.

    ``create``, ``by_email``, ``list`` and ``update`` are for the operator and for
    signing in; front-ends hand users only their own.
    """

    def __init__(
        self,
        database: Database,
        table: AccountTable,
        removal: AccountRemoval,
        proposals: Proposals,
        wake: Callable[[], None],
        audit: AccountAudit,
        sign_ins: SignIns,
        *,
        auto_accept: bool,
    ) -> None:
        self._database = database
        self._table = table
        self._removal = removal
        self._proposals = proposals
        self._wake = wake
        self._audit = audit
        self._sign_ins = sign_ins
        self._auto_accept = auto_accept

    async def create(
        self,
        email: str,
        *,
        name: str | None,
        quota_limit: int,
        password_hash: str | None,
        identity_id: str | None = None,
        identity_is_ours: bool = False,
    ) -> Account:
        """Add an account with its first workspace.

        What was proposed to its e-mail before waits for its answer, or is
        accepted at once where the operator wants that.

        :param name: left out, the e-mail's local part.
        :param quota_limit: bytes.
        :param identity_id: the user in the identity service, if it has one there.
        :param identity_is_ours: that user goes with the account.
        :raises EmailTaken: another account has this e-mail, whatever its case.
        :raises Conflict: another account has this user.
        :raises InvalidRequest: a value that no account can have.
        """
        validation.check_email(email)
        name = name or email.rpartition("@")[0]
        validation.check_text("name", name)
        check_quota(quota_limit)

        async def work(transaction: Transaction) -> Account:
            added = await self._table.insert(
                email,
                name,
                quota_limit,
                password_hash,
                FIRST_WORKSPACE,
                identity_id,
                identity_is_ours,
                within=transaction,
            )
            await self._audit.created(transaction, added)
            return added

        account = await self._database.transaction("add account", work)
        self._wake()
        await self._accept_all(account)
        return account

    async def remove(self, account_id: UUID, *, keep_data: bool) -> None:
        """Remove an account with its workspaces, and the user that we made for it.

        Folders that it shares are shared no more, and it leaves those of others.

        :param keep_data: the containers stay in the store, open to nobody.
        :raises AccountNotFound: no such account.
        :raises Unavailable: the database is away.
        """
        await self._removal.remove(account_id, keep_data=keep_data)

    async def link(self, account_id: UUID, *, identity_id: str, identity_is_ours: bool) -> Account:
        """Say which user of the identity service an account is.

        :param identity_is_ours: that user goes with the account.
        :raises AccountNotFound: no such account.
        :raises Conflict: another account has this user.
        """

        async def work(transaction: Transaction) -> Account:
            linked = await self._table.link(
                account_id, identity_id, identity_is_ours, within=transaction
            )
            if linked is None:
                raise AccountNotFound(account_id)
            await self._audit.linked(transaction, linked)
            return linked

        account = await self._database.transaction("link account", work)
        self._wake()
        return account

    async def by_identity(self, identity_id: str) -> Account:
        """:raises AccountNotFound: nobody has this user in the identity service."""
        account = await self._table.by_identity(identity_id) if "\0" not in identity_id else None
        if account is None:
            raise AccountNotFound(identity_id)
        return account

    async def of(self, principal: Principal) -> Account:
        """The principal's own account.

        :raises AccountNotFound: it is gone.
        """
        account = await self._table.by_id(principal.account_id)
        if account is None:
            raise AccountNotFound(principal.account_id)
        return account

    async def named(self, principal: Principal, email: str) -> Account:
        """The principal's own account, asked for by e-mail.

        :raises AccountNotFound: the e-mail is unknown or somebody else's.
        """
        account = await self.of(principal)
        if folded(account.email) != folded(email):
            raise AccountNotFound(email)
        return account

    async def by_email(self, email: str) -> Account:
        """:raises AccountNotFound: nobody has this e-mail."""
        account = await self._table.by_email(email) if can_be_kept(email) else None
        if account is None:
            raise AccountNotFound(email)
        return account

    async def list(self) -> tuple[Account, ...]:
        """All accounts, by e-mail."""
        return await self._table.all()

    async def update(
        self,
        account_id: UUID,
        *,
        email: str | None = None,
        name: str | None = None,
        quota_limit: int | None = None,
    ) -> Account:
        """Change what is not ``None``; what was proposed to a new e-mail: see :meth:`create`.

        By the old e-mail nobody is signed in any more, nor connected to the broker.

        :raises AccountNotFound: no such account.
        :raises EmailTaken: another account has this e-mail.
        :raises InvalidRequest: a value that no account can have.
        """
        if email is not None:
            validation.check_email(email)
        validation.check_text("name", name)
        if quota_limit is not None:
            check_quota(quota_limit)

        async def work(transaction: Transaction) -> Account:
            before = await self._table.locked(transaction, account_id)
            after = await self._table.update(
                account_id, email, name, quota_limit, within=transaction
            )
            if before is None or after is None:
                raise AccountNotFound(account_id)
            if after.email != before.email:
                await self._sign_ins.renamed(transaction, account_id, before.email)
            await self._audit.changed(transaction, before, after)
            return after

        # Again, it finds nothing that it would change.
        account = await self._database.transaction("update account", work, repeatable=True)
        self._wake()
        if email is not None:
            await self._accept_all(account)
        return account

    async def _accept_all(self, account: Account) -> None:
        """Accept what was proposed to the account's e-mail, where the operator wants that."""
        if self._auto_accept:
            await self._proposals.accept_all(Principal(account.id, SignIn.OPERATOR))


def can_be_kept(email: str) -> bool:
    return validation.text_problem(email, validation.EMAIL_CHARACTERS) is None


def check_quota(quota_limit: int) -> None:
    if not 0 <= quota_limit < validation.INT64:
        raise InvalidRequest("quota_limit", f"{quota_limit} is not between 0 and 2^63 - 1")
