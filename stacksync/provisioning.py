"""Accounts with what belongs to them elsewhere: a user in the identity service, a container.

What is done here may be cut short at any moment; the same again completes it.
No commands and no wire formats: ``stacksync-admin`` speaks with the operator.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from stacksync.auth.passwords import PasswordHasher
from stacksync.engine.accounts import Accounts
from stacksync.engine.jobs import Jobs
from stacksync.errors import AccountNotFound, EmailTaken, InvalidRequest
from stacksync.model import Account, Job
from stacksync.storage.keystone.identity import Identities, Identity


@frozen
class Password:
    """A password in the clear, on its way to where it is kept."""

    text: str = field(repr=False)


@frozen
class Provisioned:
    """An account, and what of its surroundings is still to be done.

    :ivar unfinished: jobs that the service goes on with; each says what was in its way.
    :ivar completed: it was there already, and what it lacked was made now.
    """

    account: Account
    unfinished: Sequence[Job] = ()
    completed: bool = False


class Provisioning:
    """Adds, changes and removes accounts.

    :param identities: the users of the identity service; ``None``: there is none.
    :param hasher: of passwords that are kept here; ``None``: the identity service keeps them.
    """

    def __init__(
        self,
        accounts: Accounts,
        jobs: Jobs,
        identities: Identities | None,
        hasher: PasswordHasher | None,
    ) -> None:
        self._accounts = accounts
        self._jobs = jobs
        self._identities = identities
        self._hasher = hasher

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
        :raises Conflict: the identity service has a user of this name that is not ours.
        :raises InvalidRequest: a value that no account can have; no identity service.
        :raises Unavailable: the database or the identity service is away.
        """
        if identity is not None and self._identities is None:
            raise InvalidRequest("keystone_user", "[keystone] url is not set")
        known = await self._known(email)
        if known is not None:
            return await self._complete(known, password, identity)
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
        return Provisioned(account, await self._jobs.run_until_idle())

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
        :raises Forbidden: the user in the identity service is not ours to change.
        :raises Unavailable: the database or the identity service is away.
        """
        account = await self._accounts.by_email(email)
        if password is not None and self._identities is not None and account.identity_id:
            await self._identities.set_password(account.identity_id, password.text)
        account = await self._accounts.update(
            account.id,
            email=new_email,
            name=name,
            quota_limit=quota_limit,
            password_hash=await self._hash(password),
        )
        return Provisioned(account, await self._jobs.run_until_idle())

    async def remove(self, email: str, *, keep_data: bool) -> Sequence[Job]:
        """Remove an account with all that is its own; what is still to be done.

        :param keep_data: its containers stay where they are.
        :raises AccountNotFound: nobody has this e-mail.
        :raises Unavailable: the database is away.
        """
        account = await self._accounts.by_email(email)
        await self._accounts.remove(account.id, keep_data=keep_data)
        return await self._jobs.run_until_idle()

    async def _known(self, email: str) -> Account | None:
        try:
            return await self._accounts.by_email(email)
        except AccountNotFound:
            return None

    async def _complete(
        self, account: Account, password: Password | None, identity: str | None
    ) -> Provisioned:
        """Make what an account lacks that is there already.

        :raises EmailTaken: it lacks nothing.
        """
        lacks_user = self._identities is not None and account.identity_id is None
        if lacks_user:
            user = await self._user(account.email, password, identity)
            assert user is not None
            account = await self._accounts.link(
                account.id, identity_id=user.id, identity_is_ours=user.is_ours
            )
        lacks_container = await self._jobs.is_unfinished(account.id)
        if not lacks_user and not lacks_container:
            raise EmailTaken(account.email)
        return Provisioned(account, await self._jobs.run_until_idle(), completed=True)

    async def _user(
        self, email: str, password: Password | None, identity: str | None
    ) -> Identity | None:
        if self._identities is None:
            return None
        if identity is not None:
            return await self._identities.adopt(identity)
        assert password is not None
        return await self._identities.create(email, password.text, email=email)

    async def _hash(self, password: Password | None) -> str | None:
        if password is None or self._hasher is None:
            return None
        return await self._hasher.hash(password.text)
