"""Whatever the operator does about accounts is in the audit; passwords and hashes never are."""

from __future__ import annotations

from uuid import UUID

import pytest
from pytest_twisted import ensureDeferred

from stacksync.db.audit import AuditFilter
from stacksync.engine import Engine
from stacksync.errors import EmailTaken
from stacksync.model import Account, AuditEvent, AuditKind, SignIn
from tests.db.builders import number


async def told(engine: Engine, account_id: UUID) -> list[AuditEvent]:
    """What the audit has about an account, oldest first."""
    return list(await engine.audit.latest(AuditFilter(account_id), 100))[::-1]


async def account(engine: Engine, email: str) -> Account:
    return await engine.accounts.create(
        email, name="Anna", quota_limit=10, password_hash="$argon2id$secret"
    )


@ensureDeferred
async def test_making_changing_and_linking_are_told_with_what_changed(engine: Engine) -> None:
    email = f"anna-{number()}@example.org"
    anna = await account(engine, email)
    await engine.accounts.update(anna.id, name="Änne", quota_limit=11)
    await engine.accounts.update(anna.id, email="new-" + email)
    await engine.accounts.link(anna.id, identity_id=f"user {email}", identity_is_ours=True)
    events = await told(engine, anna.id)
    assert [(each.kind, each.email, each.detail) for each in events] == [
        (AuditKind.ACCOUNT_CREATED, email, {"name": "Anna", "quota_limit": 10}),
        (AuditKind.ACCOUNT_CHANGED, email, {"name": "Änne", "quota_limit": 11}),
        (AuditKind.ACCOUNT_CHANGED, "new-" + email, {"email_before": email}),
        (AuditKind.ACCOUNT_CHANGED, "new-" + email, {"keystone_user": f"user {email}"}),
    ]
    assert {each.sign_in for each in events} == {SignIn.OPERATOR}
    assert {each.address for each in events} == {None}
    assert "secret" not in repr(events)


@ensureDeferred
async def test_what_fails_or_changes_nothing_is_not_told(engine: Engine) -> None:
    email = f"anna-{number()}@example.org"
    anna, berta = await account(engine, email), await account(engine, "berta-" + email)
    await engine.accounts.update(anna.id, name="Anna", quota_limit=10, email=email)
    with pytest.raises(EmailTaken):
        await engine.accounts.update(anna.id, name="other", email=berta.email)
    with pytest.raises(EmailTaken):
        await account(engine, email.upper())
    (created,) = await told(engine, anna.id)
    assert created.kind is AuditKind.ACCOUNT_CREATED


@ensureDeferred
async def test_a_removed_account_is_still_in_the_audit(engine: Engine) -> None:
    email = f"anna-{number()}@example.org"
    anna = await account(engine, email)
    await engine.accounts.remove(anna.id, keep_data=True)
    removed = (await told(engine, anna.id))[-1]
    assert removed.kind is AuditKind.ACCOUNT_REMOVED
    assert (removed.email, removed.detail) == (email, {"keep_data": True})
    found = await engine.audit.latest(AuditFilter(email=email.upper()), 10)
    assert len(found) == 2
