"""Accounts and their users in Keystone: cut short, made by two at once, removed and made again."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from attrs import define
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, DeferredList

from stacksync.auth.password_changes import PasswordChanges
from stacksync.auth.password_policy import PasswordPolicy
from stacksync.db.database import Database
from stacksync.db.session import in_turn
from stacksync.engine import Engine
from stacksync.errors import Conflict, EmailTaken, Unavailable
from stacksync.model import JobKind
from stacksync.provisioning import Password, Provisioned, Provisioning
from stacksync.storage.keystone import Identities, Keystone
from tests.db.observation import Psql, until
from tests.engine.conftest import database, engine, psql, start_database, store, world
from tests.servers.openstack.cloud import CloudProject, CloudUser
from tests.servers.openstack.server import OpenStackServer
from tests.storage.keystone.conftest import connect, keystone

__all__ = ["connect", "database", "engine", "keystone", "psql", "start_database", "store", "world"]

PASSWORD = Password("seven pale horses")


class Cut(Exception):
    """What a command is cut short by."""


class CuttingIdentities(Identities):
    """Lets go on, or raises, or stalls, before or after one of its methods."""

    def __init__(self, keystone: Keystone) -> None:
        super().__init__(keystone)
        self.after_create: Callable[[], Awaitable[None]] | None = None

    async def create(self, name: str, password: str, *, email: str) -> Any:
        made = await super().create(name, password, email=email)
        if self.after_create is not None:
            await self.after_create()
        return made


@define(eq=False)
class Office:
    """Operators at work on one installation."""

    engine: Engine
    database: Database
    identities: CuttingIdentities
    cloud: OpenStackServer
    project: CloudProject
    psql: Psql

    def provisioning(self, identities: Identities | None = None) -> Provisioning:
        known = identities or self.identities
        return Provisioning(
            self.engine.accounts,
            self.engine.jobs,
            known,
            PasswordChanges(
                self.engine.accounts, self.engine.passwords, PasswordPolicy(8), None, known
            ),
            lambda: in_turn(reactor, self.database.dsn, 20.0),
        )

    async def add(
        self, email: str, password: Password = PASSWORD, identities: Identities | None = None
    ) -> Provisioned:
        return await self.provisioning(identities).add(
            email, name=None, quota_limit=10**6, password=password
        )

    def signs_in(self, made: Provisioned, password: Password = PASSWORD) -> bool:
        """Whether the account's user has this password, and the role that gives it a token."""
        account = made.account
        assert account.identity_id is not None
        user = CloudUser(account.identity_id, account.email, password.text)
        try:
            self.cloud.cloud.token_of(user, self.project)
        except AssertionError:
            return False
        return True

    def users(self, name: str) -> list[str]:
        found = self.cloud.cloud.admin("GET", f"/users?name={name}")["users"]
        return [user["id"] for user in found]

    def accounts(self, email: str) -> int:
        count: int = self.psql.value("SELECT count(*) FROM account WHERE email = %s", email)
        return count


def has_made(told: Any) -> bool:
    return isinstance(told, Provisioned) and told.has_password


@pytest.fixture
def office(
    engine: Engine,
    database: Database,
    keystone: Keystone,
    openstack: OpenStackServer,
    project: CloudProject,
    psql: Psql,
) -> Office:
    return Office(engine, database, CuttingIdentities(keystone), openstack, project, psql)


@pytest.fixture
def email() -> str:
    return f"anna-{secrets.token_hex(4)}@example.org"


@ensureDeferred
async def test_what_is_cut_after_the_user_is_completed_by_the_same_again(
    office: Office, email: str
) -> None:
    async def cut() -> None:
        raise Cut

    office.identities.after_create = cut
    with pytest.raises(Cut):
        await office.add(email)
    assert (len(office.users(email)), office.accounts(email)) == (1, 0)
    office.identities.after_create = None

    made = await office.add(email)

    assert not made.completed
    assert office.users(email) == [made.account.identity_id]
    assert office.signs_in(made)


@ensureDeferred
async def test_what_is_cancelled_in_the_middle_holds_up_nobody(office: Office, email: str) -> None:
    reached = []

    async def stall() -> None:
        reached.append(True)
        await Deferred()

    office.identities.after_create = stall
    adding = Deferred.fromCoroutine(office.add(email))
    await until(lambda: reached)
    adding.cancel()
    with pytest.raises(CancelledError):
        await adding
    office.identities.after_create = None

    made = await office.add(email)

    assert office.users(email) == [made.account.identity_id]
    assert office.signs_in(made)


@ensureDeferred
async def test_what_is_cut_after_the_account_is_completed_by_the_same_again(
    office: Office, email: str
) -> None:
    first = await office.add(email)
    # As if nothing had been done about the container.
    office.psql.rows("UPDATE job SET finished_at = NULL")

    again = await office.add(email)

    assert (again.completed, again.has_password) == (True, False)
    assert again.account.id == first.account.id
    with pytest.raises(EmailTaken):
        await office.add(email)


@ensureDeferred
async def test_of_two_operators_with_one_e_mail_the_second_damages_nothing(
    office: Office, email: str
) -> None:
    passwords = [Password("the first one's words"), Password("the second one's words")]
    adding = [Deferred.fromCoroutine(office.add(email, each)) for each in passwords]

    outcomes = await DeferredList(adding, consumeErrors=True)

    told = [told for _, told in outcomes]
    first = next(place for place, each in enumerate(told) if has_made(each))
    # Who comes before the container is there sees to that, and to nothing else.
    other = told[1 - first]
    assert other.completed if isinstance(other, Provisioned) else other.check(EmailTaken)
    assert not has_made(other)
    assert office.users(email) == [told[first].account.identity_id]
    assert office.accounts(email) == 1
    assert office.signs_in(told[first], passwords[first])
    with pytest.raises(EmailTaken):
        await office.add(email, passwords[1 - first])
    assert office.signs_in(told[first], passwords[first])


@ensureDeferred
async def test_nobody_takes_the_user_of_an_account_by_its_former_e_mail(
    office: Office, email: str
) -> None:
    made = await office.add(email)
    await office.provisioning().change(email, new_email=f"new-{email}")

    with pytest.raises(Conflict, match=f"is that of the account new-{email}"):
        await office.add(email, Password("another one's words"))

    assert office.signs_in(made)


@ensureDeferred
async def test_a_removal_that_comes_late_spares_who_was_made_again(
    office: Office, email: str
) -> None:
    first = await office.add(email)
    await office.engine.accounts.remove(first.account.id, keep_data=False)
    # The job that removes the user is still to be done.
    again = await office.add(email)
    assert again.account.identity_id == first.account.identity_id

    assert not await office.provisioning().remove_user(again.account.identity_id or "")

    assert office.signs_in(again)
    await office.provisioning().remove(email, keep_data=False)
    await office.provisioning().remove_user(again.account.identity_id or "")
    assert office.users(email) == []


@ensureDeferred
async def test_a_user_that_somebody_removed_in_keystone_is_made_again(
    office: Office, email: str
) -> None:
    first = await office.add(email)
    await office.identities.remove(first.account.identity_id or "")

    again = await office.add(email)

    assert (again.completed, again.has_password) == (True, True)
    assert again.account.id == first.account.id
    assert office.signs_in(again)


@ensureDeferred
async def test_a_password_that_nobody_would_keep_is_refused(office: Office, email: str) -> None:
    await office.engine.accounts.create(email, name=None, quota_limit=0, password_hash=None)
    with pytest.raises(Conflict, match=f"user add {email} makes one"):
        await office.provisioning().change(email, password=PASSWORD)


@ensureDeferred
async def test_the_password_of_somebody_else_s_user_is_not_ours_to_change(
    office: Office, email: str
) -> None:
    known = office.cloud.cloud.user("known")
    await office.provisioning().add(
        email, name=None, quota_limit=0, password=None, identity=known.name
    )
    with pytest.raises(Conflict, match="the password is changed in Keystone"):
        await office.provisioning().change(email, password=PASSWORD)


@ensureDeferred
async def test_who_waits_for_others_too_long_is_told(office: Office, email: str) -> None:
    dsn = office.database.dsn
    async with in_turn(reactor, dsn, 60.0):
        with pytest.raises(Unavailable, match="others have been adding or removing users"):
            async with in_turn(reactor, dsn, 0.2):
                pass
    async with in_turn(reactor, dsn, 60.0):
        pass


@ensureDeferred
async def test_the_copies_of_others_do_not_keep_an_operator_waiting(
    office: Office, email: str
) -> None:
    office.psql.rows(
        "SELECT job_added('copy', 'content:large', '{\"container\": \"large\"}', NULL, NULL)"
    )
    await office.add(email)
    assert office.psql.rows("SELECT kind FROM job WHERE finished_at IS NULL") == [
        (JobKind.COPY.value,)
    ]
