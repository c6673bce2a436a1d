"""Addresses are compared in one way only, which is the database's."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.errors import InvalidRequest
from stacksync.model import Principal, SignIn
from tests.db.builders import folder, number
from tests.engine.conftest import People


@ensureDeferred
@pytest.mark.parametrize(
    ("email", "asked"),
    [
        ("éva-{}@example.org", "ÉVA-{}@example.org"),
        ("{}-οδοσ@example.org", "{}-ΟΔΟΣ@example.org"),
        ("i-{}@example.org", "İ-{}@example.org"),
        ("k-{}@example.org", "\N{KELVIN SIGN}-{}@example.org"),
    ],
)
async def test_an_address_is_the_same_whatever_its_case(
    engine: Engine, people: People, email: str, asked: str
) -> None:
    anna = await people.person()
    (photos,) = await anna.items(folder("Photos"))
    one = number()
    account = await engine.accounts.create(
        email.format(one), name=None, quota_limit=1, password_hash=None
    )
    guest = Principal(account.id, SignIn.PASSWORD)
    await engine.proposals.propose(anna.principal, photos.id, [asked.format(one)])
    (waiting,) = await engine.proposals.waiting(guest)
    await engine.proposals.accept(guest, waiting.id)
    with pytest.raises(InvalidRequest, match="No addressees found"):
        await engine.proposals.propose(anna.principal, photos.id, [asked.format(one)])
    await engine.members.unshare(anna.principal, photos.id, [asked.format(one)])
    assert len(await engine.members.list(anna.principal, photos.id)) == 1
