"""Whatever changes who takes part in a folder is in the audit, with who did it and from where."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from stacksync.config import LimitsConfig, ServiceConfig
from stacksync.config.sharing_options import SharingConfig
from stacksync.db.audit import AuditFilter
from stacksync.db.database import Database
from stacksync.engine import Engine, engine_on
from stacksync.errors import StackSyncError
from stacksync.model import AuditEvent, AuditKind, Principal, Role, SignIn
from stacksync.storage import DiskStore
from tests.db.builders import folder
from tests.engine.conftest import People, Person
from tests.engine.folders import shared


def email_of(person: Person) -> str:
    return person.user.account.email


async def visitor(people: People, address: str) -> Person:
    """Somebody who comes from an address, with a token."""
    person = await people.person()
    user = person.user
    principal = Principal(user.account.id, SignIn.TOKEN, user.device_id, address=address)
    return evolve(person, principal=principal)


async def told(engine: Engine, *people: Person) -> list[AuditEvent]:
    """What the audit has about these people, oldest first."""
    found: dict[int | None, AuditEvent] = {}
    for person in people:
        for each in await engine.audit.latest(AuditFilter(person.user.account.id), 100):
            found[each.id] = each
    return [found[key] for key in sorted(found, key=lambda key: key or 0)]


def who_did_what(events: list[AuditEvent]) -> list[tuple[AuditKind, UUID | None, Any]]:
    """Kind, whom it is about, and by whom it was done to him."""
    return [(each.kind, each.account_id, each.detail.get("by")) for each in events]


@ensureDeferred
async def test_asking_answering_and_parting_are_told(engine: Engine, people: People) -> None:
    anna, berta = await visitor(people, "192.0.2.1"), await visitor(people, "192.0.2.2")
    a, b = anna.user.account.id, berta.user.account.id
    (photos,) = await anna.items(folder("Photos"))
    proposals = engine.proposals

    async def asked() -> UUID:
        await proposals.propose(anna.principal, photos.id, [email_of(berta)], role=Role.VIEWER)
        (proposal,) = await proposals.waiting(berta.principal)
        return proposal.id

    await proposals.decline(berta.principal, await asked())
    await proposals.withdraw(anna.principal, await asked())
    await proposals.accept(berta.principal, await asked())
    await proposals.propose(anna.principal, photos.id, [email_of(berta)], role=Role.EDITOR)
    await engine.members.leave(berta.principal, photos.id)
    await shared(anna, photos, berta)
    await engine.members.unshare(anna.principal, photos.id, [email_of(berta)])
    events = await told(engine, anna, berta)
    asking = (AuditKind.SHARE_PROPOSED, a, None)
    assert who_did_what(events) == [
        asking,
        (AuditKind.SHARE_DECLINED, b, None),
        asking,
        (AuditKind.SHARE_WITHDRAWN, a, None),
        asking,
        (AuditKind.SHARE_ACCEPTED, b, None),
        (AuditKind.ROLE_CHANGED, b, str(a)),
        (AuditKind.UNSHARED, b, None),
        asking,
        (AuditKind.SHARE_ACCEPTED, b, None),
        (AuditKind.UNSHARED, b, str(a)),
    ]
    by_anna = {each.id for each in events if each.account_id == a or "by" in each.detail}
    for each in events:
        assert each.address == ("192.0.2.1" if each.id in by_anna else "192.0.2.2")
        assert each.sign_in is SignIn.TOKEN
        assert each.email == email_of(anna if each.account_id == a else berta)
        assert (each.detail["folder"], each.detail["folder_id"]) == ("Photos", photos.id)
        assert each.detail["owner"] == email_of(anna)
    proposed, declined, _, withdrawn, _, accepted, changed, *_ = events
    assert (proposed.detail["to"], proposed.detail["role"]) == ([email_of(berta)], "viewer")
    assert declined.detail["to"] == withdrawn.detail["to"] == [email_of(berta)]
    assert (accepted.detail["role"], changed.detail["role"]) == ("viewer", "editor")


@ensureDeferred
async def test_unsharing_takes_proposals_back(engine: Engine, people: People) -> None:
    anna = await people.person()
    (photos,) = await anna.items(folder("Photos"))
    await engine.proposals.propose(anna.principal, photos.id, ["x@example.org"])
    await engine.members.unshare(anna.principal, photos.id, ["x@example.org"])
    _, withdrawn = await told(engine, anna)
    assert withdrawn.kind is AuditKind.SHARE_WITHDRAWN
    assert withdrawn.detail["to"] == ["x@example.org"]


@ensureDeferred
async def test_what_changes_nothing_is_not_told(engine: Engine, people: People) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    await shared(anna, photos, berta)
    (asked, accepted) = await told(engine, anna, berta)
    assert (asked.kind, accepted.kind) == (AuditKind.SHARE_PROPOSED, AuditKind.SHARE_ACCEPTED)
    for attempt in (
        # Again the same; by one who may not; about nobody.
        engine.proposals.propose(anna.principal, photos.id, [email_of(berta)]),
        engine.members.leave(anna.principal, photos.id),
        engine.members.unshare(anna.principal, photos.id, ["nobody@example.org"]),
    ):
        with pytest.raises(StackSyncError):
            await attempt
    assert await told(engine, anna, berta) == [asked, accepted]


@ensureDeferred
async def test_who_takes_part_without_being_asked_is_told_by_whom(
    database: Database, store: DiskStore, people: People
) -> None:
    sharing = SharingConfig(auto_accept=True)
    engine = engine_on(
        database, reactor, ServiceConfig(), LimitsConfig(), lanes=2, store=store, sharing=sharing
    )
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    await engine.proposals.propose(anna.principal, photos.id, [email_of(berta)])
    (accepted,) = [each for each in await told(engine, berta) if "unasked" in each.detail]
    assert accepted.kind is AuditKind.SHARE_ACCEPTED
    assert accepted.account_id == berta.user.account.id
    assert accepted.detail["by"] == str(anna.user.account.id)
    engine.stop()


@ensureDeferred
async def test_the_end_of_an_account_is_told_with_what_it_took_part_in(
    engine: Engine, people: People
) -> None:
    anna, berta = await people.person(), await people.person()
    (photos,) = await anna.items(folder("Photos"))
    await shared(anna, photos, berta)
    (hers,) = await berta.items(folder("Hers"))
    await shared(berta, hers, anna)
    before = await told(engine, anna, berta)
    await engine.accounts.remove(anna.user.account.id, keep_data=False)
    events = (await told(engine, anna, berta))[len(before) :]
    a, b = anna.user.account.id, berta.user.account.id
    assert set(who_did_what(events)) == {
        (AuditKind.UNSHARED, b, str(a)),
        (AuditKind.UNSHARED, a, None),
        (AuditKind.ACCOUNT_REMOVED, a, None),
    }
    assert {each.sign_in for each in events} == {SignIn.OPERATOR}
    assert events[-1].kind is AuditKind.ACCOUNT_REMOVED
    assert events[-1].email == email_of(anna)
