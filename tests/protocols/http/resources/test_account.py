"""``GET /account``: who I am and how much room I have."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from stacksync.errors import AccountNotFound
from tests.protocols.http.builders import new_file
from tests.protocols.http.conftest import StartSite, User
from tests.protocols.http.engines import ANNA, MadeUpEngine, Noun, raising


@ensureDeferred
async def test_an_account_is_shown_with_its_quota(anna: User) -> None:
    await anna.commit(new_file(size=1234))

    told = (await anna.client.get("/api/account")).json

    assert told.pop("created_at").endswith("Z")
    assert told == {
        "id": str(anna.account.id),
        "email": anna.account.email,
        "name": "Änne",
        "quota_limit": 10**9,
        "quota_used": 1234,
    }


@ensureDeferred
async def test_an_account_that_is_gone_is_not_found(start_site: StartSite) -> None:
    _, client = await start_site(MadeUpEngine(accounts=Noun(of=raising(AccountNotFound(ANNA)))))

    assert (await client.get("/api/account")).code == 404
