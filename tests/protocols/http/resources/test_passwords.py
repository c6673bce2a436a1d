"""``PUT /account/password``: another password for whoever knows the present one."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.client import Client
from tests.protocols.http.conftest import PASSWORD, Server, StartSite, User
from tests.protocols.http.engines import MadeUpEngine, Noun, returning

NEW = "four words nobody combines"
PATH = "/api/account/password"


async def token_of(user: User) -> str:
    told = await user.client.post("/api/tokens", {"device_id": str(user.device_id)})
    assert told.code == 201, told.body
    return str(told.json["token"])


def with_token(server: Server, token: str) -> tuple[Client, dict[str, str]]:
    return Client(server.port), {"Authorization": f"Bearer {token}"}


@ensureDeferred
async def test_from_then_on_only_the_new_one_is_right_and_no_token_is(
    server: Server, anna: User, bert: User
) -> None:
    client, headers = with_token(server, await token_of(anna))
    others, their_headers = with_token(server, await token_of(bert))
    assert (await client.get("/api/account", headers=headers)).code == 200

    changed = await anna.client.request("PUT", PATH, {"password": NEW})

    assert (changed.code, changed.body) == (204, b"")
    assert (await anna.client.get("/api/account")).code == 401
    assert (await client.get("/api/account", headers=headers)).code == 401
    assert (await others.get("/api/account", headers=their_headers)).code == 200
    again = Client(server.port, (anna.account.email, NEW))
    assert (await again.get("/api/account")).code == 200


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("short", "at least 8 characters"),
        ("Password123", "commonest"),
        ("", "empty"),
        (None, "missing"),
        (12345678, "string"),
    ],
)
@ensureDeferred
async def test_one_that_will_not_do_is_refused_with_a_word_on_what_would(
    anna: User, password: object, told: str
) -> None:
    answer = await anna.client.request("PUT", PATH, {"password": password})

    assert answer.code == 400
    assert answer.json["parameter"] == "password"
    assert told in answer.json["description"]
    assert (await anna.client.get("/api/account")).code == 200


@ensureDeferred
async def test_the_own_e_mail_will_not_do(anna: User) -> None:
    answer = await anna.client.request("PUT", PATH, {"password": anna.account.email.upper()})

    assert answer.code == 400
    assert "must not be the e-mail" in answer.json["description"]
    assert anna.account.email not in answer.json["description"].lower()


@ensureDeferred
async def test_a_token_is_not_enough(server: Server, anna: User) -> None:
    client, headers = with_token(server, await token_of(anna))

    answer = await client.request("PUT", PATH, {"password": NEW}, headers=headers)

    assert answer.code == 403
    assert "needs the password" in answer.json["description"]
    assert (await anna.client.get("/api/account")).code == 200


@ensureDeferred
async def test_where_nobody_changes_passwords_that_is_told(start_site: StartSite) -> None:
    class Account:
        email = "anna@example.org"

    _, client = await start_site(MadeUpEngine(accounts=Noun(of=returning(Account()))))

    answer = await client.request("PUT", PATH, {"password": PASSWORD})
    assert answer.code == 409
    assert "anna@example.org is not changed by this service" in answer.json["description"]
