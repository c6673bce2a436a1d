"""A folder is proposed to somebody, who accepts or declines."""

from __future__ import annotations

from uuid import uuid4

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from stacksync.config import LimitsConfig, ServiceConfig
from stacksync.config.sharing_options import SharingConfig
from stacksync.db.database import Database
from stacksync.engine import Engine, engine_on
from stacksync.errors import (
    AlreadyAnswered,
    Conflict,
    Forbidden,
    InvalidRequest,
    ItemDeleted,
    ItemNotFound,
    NameTaken,
    NestedShare,
    ProposalNotFound,
)
from stacksync.model import AddresseeState, Principal, ProposalState, Role, SignIn
from stacksync.storage import DiskStore
from tests.db.builders import delete, folder, new, number
from tests.db.observation import Psql
from tests.engine.conftest import People, Person
from tests.engine.folders import shared, tree


def email_of(person: Person) -> str:
    return person.user.account.email


@ensureDeferred
async def test_who_is_asked_sees_it_waiting_and_nobody_else_does(
    engine: Engine, people: People
) -> None:
    anna, berta, carl = [await people.person() for _ in range(3)]
    (photos,) = await anna.items(folder("Photos"))
    told = await engine.proposals.propose(
        anna.principal, photos.id, [email_of(berta).upper()], role=Role.VIEWER
    )
    assert [(each.name, each.state) for each in told] == [(None, AddresseeState.INVITED)]
    (proposal,) = await engine.proposals.waiting(berta.principal)
    assert (proposal.folder_name, proposal.role) == ("Photos", Role.VIEWER)
    assert proposal.container == str(proposal.workspace_id)
    assert await engine.proposals.of_folder(anna.principal, photos.id) == (proposal,)
    assert await engine.proposals.waiting(carl.principal) == ()
    for attempt in (engine.proposals.accept, engine.proposals.decline):
        with pytest.raises(ProposalNotFound):
            await attempt(carl.principal, proposal.id)
        with pytest.raises(ProposalNotFound):
            await attempt(berta.principal, uuid4())
    with pytest.raises(ProposalNotFound):
        await engine.proposals.withdraw(berta.principal, proposal.id)


@ensureDeferred
async def test_an_answer_is_given_once_and_again_alike(engine: Engine, people: People) -> None:
    anna, berta, carl, dora = [await people.person() for _ in range(4)]
    (photos,) = await anna.items(folder("Photos"))
    guests = [berta, carl, dora]
    await engine.proposals.propose(anna.principal, photos.id, list(map(email_of, guests)))
    first, second, third = await engine.proposals.of_folder(anna.principal, photos.id)
    assert first.workspace_id == second.workspace_id
    workspace = await engine.proposals.accept(berta.principal, first.id)
    assert await engine.proposals.accept(berta.principal, first.id) == workspace
    assert workspace.id == first.workspace_id
    for _ in range(2):
        declined = await engine.proposals.decline(carl.principal, second.id)
        assert declined.state is ProposalState.DECLINED
        withdrawn = await engine.proposals.withdraw(berta.principal, third.id)
        assert withdrawn.state is ProposalState.WITHDRAWN
    with pytest.raises(AlreadyAnswered):
        await engine.proposals.accept(carl.principal, second.id)
    with pytest.raises(AlreadyAnswered):
        await engine.proposals.accept(dora.principal, third.id)
    with pytest.raises(AlreadyAnswered):
        await engine.proposals.decline(berta.principal, first.id)


@ensureDeferred
async def test_two_who_accept_at_once_get_into_one_workspace(
    engine: Engine, people: People, psql: Psql
) -> None:
    anna, berta, carl = [await people.person() for _ in range(3)]
    (photos,) = await anna.items(folder("Photos"))
    await engine.proposals.propose(anna.principal, photos.id, [email_of(berta), email_of(carl)])
    first, second = await engine.proposals.of_folder(anna.principal, photos.id)
    joined = await gatherResults([
        Deferred.fromCoroutine(engine.proposals.accept(berta.principal, first.id)),
        Deferred.fromCoroutine(engine.proposals.accept(carl.principal, second.id)),
        Deferred.fromCoroutine(engine.proposals.accept(berta.principal, first.id)),
    ])  # fmt: skip
    assert len({workspace.id for workspace in joined}) == 1
    assert psql.value("SELECT count(*) FROM workspace WHERE root_item_id = %s", photos.id) == 1
    assert len(await engine.members.list(carl.principal, photos.id)) == 3


@ensureDeferred
async def test_jobs_see_to_container_copies_and_news(
    engine: Engine, people: People, psql: Psql
) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    psql.rows("DELETE FROM job")
    workspace = await shared(anna, photos, berta)
    await engine.members.leave(berta.principal, photos.id)
    kinds = psql.rows(
        "SELECT kind, queue, after_id IS NOT NULL FROM job WHERE kind <> 'notify' ORDER BY id"
    )
    home = anna.user.workspace_id
    assert kinds == [
        ("container", f"container:{workspace.id}", False),
        ("copy", f"content:{workspace.id}", True),
        ("container", f"container:{workspace.id}", False),
        ("copy", f"content:{home}", False),
        ("remove-container", f"container:{workspace.id}", True),
    ]
    told = psql.rows(
        "SELECT arguments ->> 'event', queue FROM job WHERE kind = 'notify' ORDER BY id"
    )
    mine, hers = f"notify:{anna.user.account.id}", f"notify:{berta.user.account.id}"
    assert told == [
        ("proposal", mine),
        ("workspace", hers),
        ("workspace", mine),
        ("unshare", hers),
        ("unshare", mine),
    ]


@ensureDeferred
async def test_a_member_chooses_name_and_place(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    docs, _ = await berta.items(folder("docs"), new("Photos"))
    await engine.proposals.propose(anna.principal, photos.id, [email_of(berta)])
    (proposal,) = await engine.proposals.waiting(berta.principal)
    with pytest.raises(NameTaken):
        await engine.proposals.accept(berta.principal, proposal.id, name="Photos")
    workspace = await engine.proposals.accept(
        berta.principal, proposal.id, name="Hers", parent_item_id=docs.id
    )
    assert (workspace.name, workspace.parent_item_id) == ("Hers", docs.id)
    assert await tree(berta) == {"docs/": {"Hers/": {}}, "Photos": 10}
    (more,) = await anna.items(folder("more"))
    (other,) = await berta.items(folder("more"))
    assert (await shared(anna, more, berta)).name == "more (2)"
    with pytest.raises(NestedShare):
        await engine.proposals.propose(berta.principal, docs.id, [email_of(anna)])
    assert await engine.proposals.propose(berta.principal, other.id, [email_of(anna)])


@ensureDeferred
async def test_what_cannot_be_shared(engine: Engine, people: People) -> None:
    anna, berta, carl = [await people.person() for _ in range(3)]
    photos, file, gone = await anna.items(folder("Photos"), new("file"), folder("gone"))
    (within,) = await anna.items(folder("within", photos))
    await anna.items(delete(gone))
    await shared(anna, photos, berta, Role.VIEWER)
    asked = [email_of(carl)]
    propose = engine.proposals.propose
    with pytest.raises(NestedShare):
        await propose(anna.principal, within.id, asked)
    for wrong in (file.id, 2**62):
        with pytest.raises(ItemNotFound):
            await propose(anna.principal, wrong, asked)
    with pytest.raises(ItemNotFound):
        await propose(carl.principal, photos.id, asked)
    with pytest.raises(ItemDeleted):
        await propose(anna.principal, gone.id, asked)
    with pytest.raises(Forbidden):
        await propose(berta.principal, photos.id, asked)
    with pytest.raises(InvalidRequest, match="No addressees found"):
        await propose(anna.principal, photos.id, [email_of(anna)])
    with pytest.raises(Conflict, match="not encrypted"):
        await propose(anna.principal, photos.id, asked, is_encrypted=True)


@ensureDeferred
async def test_the_owner_changes_a_role_by_asking_again(engine: Engine, people: People) -> None:
    anna, berta, carl = [await people.person() for _ in range(3)]
    (photos,) = await anna.items(folder("Photos"))
    await shared(anna, photos, berta, Role.VIEWER)
    await shared(anna, photos, carl)
    with pytest.raises(InvalidRequest, match="No addressees found"):
        await engine.proposals.propose(carl.principal, photos.id, [email_of(berta)])
    (told,) = await engine.proposals.propose(anna.principal, photos.id, [email_of(berta)])
    assert (told.state, told.name) == (AddresseeState.MEMBER, "Änne")
    roles = {each.email: each.role for each in await engine.members.list(carl.principal, photos.id)}
    assert roles[email_of(berta)] is Role.EDITOR


@ensureDeferred
async def test_a_folder_that_is_gone_when_it_is_accepted(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    await engine.proposals.propose(anna.principal, photos.id, [email_of(berta)])
    (proposal,) = await engine.proposals.waiting(berta.principal)
    await anna.items(delete(photos))
    assert await engine.proposals.waiting(berta.principal) == ()
    with pytest.raises(ItemDeleted):
        await engine.proposals.accept(berta.principal, proposal.id)


@ensureDeferred
async def test_a_proposal_expires_and_can_be_made_again(
    engine: Engine, people: People, psql: Psql
) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    await engine.proposals.propose(anna.principal, photos.id, [email_of(berta)])
    (proposal,) = await engine.proposals.waiting(berta.principal)
    psql.rows("UPDATE share_proposal SET expires_at = now() WHERE id = %s", proposal.id)
    assert await engine.proposals.waiting(berta.principal) == ()
    with pytest.raises(AlreadyAnswered, match="expired"):
        await engine.proposals.accept(berta.principal, proposal.id)
    await engine.proposals.propose(anna.principal, photos.id, [email_of(berta)])
    (again,) = await engine.proposals.waiting(berta.principal)
    assert again == evolve(proposal, expires_at=again.expires_at)


@ensureDeferred
async def test_an_account_that_is_made_later_finds_what_waits_for_it(
    engine: Engine, people: People
) -> None:
    anna = await people.person()
    (photos,) = await anna.items(folder("Photos"))
    email = f"Later-{number()}@example.org"
    await engine.proposals.propose(anna.principal, photos.id, [email.lower()])
    account = await engine.accounts.create(email, name=None, quota_limit=1, password_hash=None)
    later = Principal(account.id, SignIn.PASSWORD)
    (proposal,) = await engine.proposals.waiting(later)
    assert (await engine.proposals.accept(later, proposal.id)).name == "Photos"


@ensureDeferred
async def test_old_clients_accept_by_being_asked(
    database: Database, store: DiskStore, people: People
) -> None:
    settings = ServiceConfig(hint_gather=0.001, sweep_interval=3600.0)
    engine = engine_on(
        database, reactor, settings, LimitsConfig(), lanes=2, store=store,
        sharing=SharingConfig(auto_accept=True, max_members=3),
    )  # fmt: skip
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    later = f"later-{number()}@example.org"
    told = await engine.proposals.propose(anna.principal, photos.id, [email_of(berta), later])
    assert [each.state for each in told] == [AddresseeState.MEMBER, AddresseeState.INVITED]
    assert await tree(berta) == {"Photos/": {}}
    account = await engine.accounts.create(later, name=None, quota_limit=1, password_hash=None)
    seen = await engine.workspaces.list(Principal(account.id, SignIn.PASSWORD))
    assert {workspace.name for workspace in seen} == {"StackSync", "Photos"}
    with pytest.raises(Conflict, match="at most 3 people"):
        await engine.proposals.propose(anna.principal, photos.id, ["more@example.org"])
    (music,) = await anna.items(folder("Music"))
    await engine.proposals.propose(anna.principal, music.id, ["new-" + later])
    await engine.accounts.update(account.id, email="new-" + later)
    seen = await engine.workspaces.list(Principal(account.id, SignIn.PASSWORD))
    assert {workspace.name for workspace in seen} == {"StackSync", "Photos", "Music"}
    engine.stop()


@ensureDeferred
async def test_an_empty_folder_can_be_shared_encrypted(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    empty, full = await anna.items(folder("empty"), folder("full"))
    await anna.items(new("file", full))
    with pytest.raises(Conflict, match="must be empty"):
        await engine.proposals.propose(
            anna.principal, full.id, [email_of(berta)], is_encrypted=True
        )
    await engine.proposals.propose(anna.principal, empty.id, [email_of(berta)], is_encrypted=True)
    (proposal,) = await engine.proposals.waiting(berta.principal)
    assert proposal.is_encrypted
    assert (await engine.proposals.accept(berta.principal, proposal.id)).is_encrypted
