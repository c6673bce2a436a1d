"""Accounts with what belongs to them elsewhere: a user in the identity service, a container.

What is done here may be cut short at any moment; the same again completes it.
No commands and no wire formats: ``stacksync-admin`` speaks with the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from attrs import field, frozen

from stacksync.auth.password_changes import PasswordChanges
from stacksync.engine.accounts import Accounts
from stacksync.engine.jobs import Jobs
from stacksync.errors import AccountNotFound, Conflict, EmailTaken, InvalidRequest
from stacksync.model import Account, Job, JobKind, Principal, SignIn
from stacksync.storage.keystone.identity import Identities, Identity

NOW = (JobKind.CONTAINER, JobKind.REMOVE_CONTAINER, JobKind.REMOVE_IDENTITY)
"""The jobs that are done before the operator is answered.  Copies may take hours: the service's."""


@frozen
class Password:
    """A password in the clear, on its way to where it is kept."""

    text: str = field(repr=False)


@frozen
class Provisioned:
    """An account, and what of its surroundings is still to be done.

    :ivar unfinished: jobs that the service goes on with; each says what was in its way.
    :ivar completed: it was there already, and what it lacked was made now.
    :ivar has_password: its password is the one that was given.
    :ivar revoked: how many tokens have ended with the password before.
    """

    account: Account
    unfinished: Sequence[Job] = ()
    completed: bool = False
    has_password: bool = False
    revoked: int = 0


class Provisioning:
    """Adds, changes and removes accounts.

    :param identities: the users of the identity service; ``None``: there is none.
    :param passwords: knows who keeps them, and what a new one must be.
    :param in_turn: while it is entered, nobody else makes users or removes them.
    """

    def __init__(
        self,
        accounts: Accounts,
        jobs: Jobs,
        identities: Identities | None,
        passwords: PasswordChanges,
        in_turn: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        self._accounts = accounts
        self._jobs = jobs
        self._identities = identities
        self._passwords = passwords
        self._in_turn = in_turn

    async def add(
        self,
        email: str,
        *,
        name: str | None,
        quota_limit: int,
        password: Password | None,
        identity: str | None = None,
    ) -> Provisioned:
        """Make an account, its user in the identity service and its workspace's container.

        :param quota_limit: bytes.
        :param password: ``None`` only where ``identity`` brings its own.
        :param identity: the id or name of a user who is in the identity service already.
        :raises EmailTaken: there is such an account, and it lacks nothing.
        :raises Conflict: the identity service has a user of this name that is not ours, or
            that another account has.
        :raises InvalidRequest: a value that no account can have; no identity service.
        :raises Unavailable: the database or the identity service is away.
        """
        if identity is not None and self._identities is None:
            raise InvalidRequest("keystone_user", "[keystone] url is not set")
        if password is not None:
            self._passwords.policy.check(password.text, email)
        async with self._in_turn():
            known = await self._known(email)
            has_password = password is not None
            if known is not None:
                account = await self._completed(known, password, identity)
                has_password = has_password and account.identity_id != known.identity_id
            else:
                # First the user, for only this command knows the password; a user that
                # is ours and has no account yet is what an earlier try has left.
                user = await self._user(email, password, identity)
                account = await self._accounts.create(
                    email,
                    name=name,
                    quota_limit=quota_limit,
                    password_hash=await self._hash(password),
                    identity_id=user.id if user is not None else None,
                    identity_is_ours=user is not None and user.is_ours,
                )
        unfinished = await self._unfinished(account)
        return Provisioned(account, unfinished, known is not None, has_password)

    async def change(
        self,
        email: str,
        *,
        new_email: str | None = None,
        name: str | None = None,
        quota_limit: int | None = None,
        password: Password | None = None,
    ) -> Provisioned:
        """Change what is not ``None``, here and in the identity service.

        :raises AccountNotFound: nobody has this e-mail.
        :raises EmailTaken: somebody has the new one.
        :raises Conflict: nobody keeps passwords for this account, or who does is not ours
            to change.
        :raises InvalidRequest: a value that no account can have.
        :raises Unavailable: the database or the identity service is away.
        """
        account = await self._accounts.by_email(email)
        revoked = 0
        if password is not None:
            self._passwords.policy.check(password.text, new_email or account.email)
        account = await self._accounts.update(
            account.id, email=new_email, name=name, quota_limit=quota_limit
        )
        if password is not None:
            operator = Principal(account.id, SignIn.OPERATOR)
            revoked = await self._passwords.change(operator, password.text)
        return Provisioned(account, await self._unfinished(account), revoked=revoked)

    async def remove(self, email: str, *, keep_data: bool) -> Sequence[Job]:
        """Remove an account with all that is its own; what is still to be done.

        :param keep_data: its containers stay where they are.
        :raises AccountNotFound: nobody has this e-mail.
        :raises Unavailable: the database is away.
        """
        account = await self._accounts.by_email(email)
        await self._accounts.remove(account.id, keep_data=keep_data)
        return await self._jobs.run_until_idle(NOW)

    async def remove_user(self, user_id: str) -> bool:
        """Remove a user of the identity service whose account is gone; whether there was one.

        A user whom an account has (again) stays.

        :raises Unavailable: the database or the identity service is away.
        """
        if self._identities is None:
            return False
        async with self._in_turn():
            if await self._account_of(user_id) is not None:
                return False
            return await self._identities.remove(user_id)

    async def _known(self, email: str) -> Account | None:
        try:
            return await self._accounts.by_email(email)
        except AccountNotFound:
            return None

    async def _unfinished(self, account: Account) -> Sequence[Job]:
        """Do what can be done now; what could not, if any of it is this account's."""
        failed = await self._jobs.run_until_idle(NOW)
        return failed if await self._jobs.is_unfinished(account.id) else ()

    async def _account_of(self, user_id: str) -> Account | None:
        try:
            return await self._accounts.by_identity(user_id)
        except AccountNotFound:
            return None

    async def _completed(
        self, account: Account, password: Password | None, identity: str | None
    ) -> Account:
        """Make what an account lacks that is there already.

        :raises EmailTaken: it lacks nothing.
        """
        lacks_user = await self._lacks_user(account)
        if lacks_user:
            user = await self._user(account.email, password, identity)
            assert user is not None
            account = await self._accounts.link(
                account.id, identity_id=user.id, identity_is_ours=user.is_ours
            )
        if not lacks_user and not await self._jobs.is_unfinished(account.id):
            raise EmailTaken(account.email)
        return account

    async def _lacks_user(self, account: Account) -> bool:
        """Whether it has no user in the identity service, or one who is there no more."""
        if self._identities is None:
            return False
        return (
            account.identity_id is None or await self._identities.get(account.identity_id) is None
        )

    async def _user(
        self, email: str, password: Password | None, identity: str | None
    ) -> Identity | None:
        if self._identities is None:
            return None
        if identity is not None:
            return await self._identities.adopt(identity)
        assert password is not None
        found = await self._identities.find(email)
        holder = await self._account_of(found.id) if found is not None else None
        if holder is not None and holder.email.lower() != email.lower():
            raise Conflict(
                f"the user {email} of the identity service is that of the account {holder.email}"
            )
        return await self._identities.create(email, password.text, email=email)

    async def _hash(self, password: Password | None) -> str | None:
        hasher = self._passwords.hasher
        if password is None or hasher is None:
            return None
        return await hasher.hash(password.text)
