"""Accounts: people, their e-mail, quota and password hash."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from attrs import field, frozen

from stacksync.db.accounts import AccountTable
from stacksync.engine import validation
from stacksync.engine.addressees import folded
from stacksync.engine.proposals import Proposals
from stacksync.engine.removal import AccountRemoval
from stacksync.errors import AccountNotFound, InvalidRequest
from stacksync.model import Account, Principal, SignIn

FIRST_WORKSPACE = "StackSync"
"""What the workspace that every account begins with is called."""


@frozen
class Credentials:
    """What a sign-in is checked against; no hash means that no password fits."""

    account_id: UUID
    password_hash: str | None = field(repr=False)
    identity_id: str | None = None
    """The user in the identity service, if it has one there."""


class Accounts:
    """Operations on accounts.

    ``create``, ``by_email``, ``list``, ``update`` and ``credentials`` are for
    the operator and for signing in; front-ends hand users only their own.
    """

    def __init__(
        self,
        table: AccountTable,
        removal: AccountRemoval,
        proposals: Proposals,
        wake: Callable[[], None],
        *,
        auto_accept: bool,
    ) -> None:
        self._table = table
        self._removal = removal
        self._proposals = proposals
        self._wake = wake
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
        account = await self._table.insert(
            email, name, quota_limit, password_hash, FIRST_WORKSPACE, identity_id, identity_is_ours
        )
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
        account = await self._table.link(account_id, identity_id, identity_is_ours)
        if account is None:
            raise AccountNotFound(account_id)
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
        password_hash: str | None = None,
    ) -> Account:
        """Change what is not ``None``; what was proposed to a new e-mail: see :meth:`create`.

        :raises AccountNotFound: no such account.
        :raises EmailTaken: another account has this e-mail.
        :raises InvalidRequest: a value that no account can have.
        """
        if email is not None:
            validation.check_email(email)
        validation.check_text("name", name)
        if quota_limit is not None:
            check_quota(quota_limit)
        account = await self._table.update(account_id, email, name, quota_limit, password_hash)
        if account is None:
            raise AccountNotFound(account_id)
        self._wake()
        if email is not None:
            await self._accept_all(account)
        return account

    async def _accept_all(self, account: Account) -> None:
        """Accept what was proposed to the account's e-mail, where the operator wants that."""
        if self._auto_accept:
            await self._proposals.accept_all(Principal(account.id, SignIn.OPERATOR))

    async def credentials(self, email: str) -> Credentials | None:
        """What to check a password against, or ``None`` for an unknown e-mail."""
        found = await self._table.password_hash(email) if can_be_kept(email) else None
        return Credentials(*found) if found is not None else None


def can_be_kept(email: str) -> bool:
    return validation.text_problem(email, validation.EMAIL_CHARACTERS) is None


def check_quota(quota_limit: int) -> None:
    if not 0 <= quota_limit < validation.INT64:
        raise InvalidRequest("quota_limit", f"{quota_limit} is not between 0 and 2^63 - 1")
