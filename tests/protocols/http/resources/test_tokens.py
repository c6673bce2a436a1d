"""``/tokens``, and signing in with what it gives: the same API, for one device, until it ends."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from attrs import define
from pytest_twisted import ensureDeferred

from stacksync.db.database import Database
from tests.protocols.http.builders import new_file
from tests.protocols.http.client import Client
from tests.protocols.http.conftest import Server, User

CHALLENGES = (
    'Basic realm="StackSync", charset="UTF-8", Bearer realm="StackSync", OAuth realm="StackSync"'
)


@define
class Bearer:
    """Somebody's way to the API with a token."""

    client: Client
    told: dict[str, Any]

    async def ask(self, method: str, path: str, content: Any = None, **headers: str) -> Any:
        told = {"Authorization": f"Bearer {self.told['token']}"}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(method, path, content, headers=told)


async def bearer(user: User, **order: Any) -> Bearer:
    answer = await user.client.post("/api/tokens", order or {"device_id": str(user.device_id)})
    assert answer.code == 201, answer.body
    return Bearer(Client(user.client.port), answer.json)


@ensureDeferred
async def test_a_token_is_told_once_and_is_all_that_a_device_needs(anna: User) -> None:
    order = {"device_id": str(anna.device_id), "name": "laptop at home", "expires_in": 3600}
    answer = await anna.client.post("/api/tokens", order)

    assert answer.code == 201
    told = answer.json
    assert answer.header("Location") == f"/api/tokens/{told['id']}"
    assert set(told) == {
        *("id", "token", "account_id", "device_id", "name", "scope", "created_at", "expires_at")
    }
    assert told["account_id"] == str(anna.account.id)
    assert (told["name"], told["scope"]) == ("laptop at home", "sync")
    mine = Bearer(Client(anna.client.port), told)
    assert (await mine.ask("GET", "/api/account")).json["id"] == str(anna.account.id)
    made = await mine.ask("POST", "/api/folder", {"name": "f"})
    assert made.code == 201
    listed = (await mine.ask("GET", "/api/tokens")).json["tokens"]
    assert [each["id"] for each in listed] == [told["id"]]
    assert told["token"] not in repr(listed)
    assert listed[0]["used_at"] is not None
    assert listed[0]["application"] is None


@ensureDeferred
async def test_a_token_acts_for_its_device_and_no_other(server: Server, anna: User) -> None:
    mine = await bearer(anna)
    other = await anna.client.post("/api/devices", {"name": "phone"})
    own, others = str(anna.device_id), other.json["id"]

    batch = {"items": [new_file()]}
    committed = await mine.ask("POST", anna.commits, {**batch, "device_id": own})
    assert committed.code == 200
    assert (await mine.ask("GET", "/api/account", StackSync_Device=own)).code == 200
    refused = await mine.ask("GET", "/api/account", StackSync_Device=others)
    assert (refused.code, own in refused.json["description"]) == (403, True)
    committed = await mine.ask("POST", anna.commits, {**batch, "device_id": others})
    assert committed.code == 403
    made = await mine.ask("POST", "/api/folder", {"name": "g"})
    (version,) = await server.engine.versions.of(anna.principal, made.json["id"])
    assert version.device_id == anna.device_id


@ensureDeferred
async def test_a_new_device_comes_with_its_token(anna: User) -> None:
    mine = await bearer(anna, device={"name": "phone", "os": "Android"}, scope="read-only")

    devices = (await mine.ask("GET", "/api/devices")).json["devices"]
    assert [each["os"] for each in devices if each["id"] == mine.told["device_id"]] == ["Android"]
    assert mine.told["name"] == "phone"


@ensureDeferred
async def test_a_token_for_reading_reads_and_changes_nothing(anna: User) -> None:
    mine = await bearer(anna, name="backup", scope="read-only")
    folder = await anna.folder("f")

    assert (await mine.ask("GET", f"/api/folder/{folder['id']}")).json["filename"] == "f"
    assert (await mine.ask("HEAD", "/api/folder/0/contents")).code == 200
    for method, path in (
        ("PUT", f"/api/folder/{folder['id']}"),
        ("DELETE", f"/api/folder/{folder['id']}"),
        ("POST", "/api/devices"),
        ("POST", "/api/tokens"),
    ):
        refused = await mine.ask(method, path, {"name": "x"})
        assert (refused.code, refused.json["description"]) == (403, "this token may only read")
    assert (await mine.ask("DELETE", f"/api/tokens/{mine.told['id']}")).code == 204, "it may go"


@ensureDeferred
async def test_who_holds_a_token_can_not_make_or_revoke_others(anna: User) -> None:
    mine, other = await bearer(anna), await bearer(anna, name="phone")
    phone = other.told["device_id"]

    for refused in (
        await mine.ask("POST", "/api/tokens", {}),
        await mine.ask("DELETE", f"/api/tokens/{other.told['id']}"),
        await mine.ask("DELETE", f"/api/devices/{phone}"),
    ):
        assert (refused.code, "password" in refused.json["description"]) == (403, True)
    renamed = await mine.ask("PUT", f"/api/devices/{phone}", {"name": "laptop"})
    assert (renamed.code, "no other" in renamed.json["description"]) == (403, True)
    gone = await mine.ask("DELETE", f"/api/tokens/{mine.told['id']}")
    assert (gone.code, gone.body) == (204, b"")
    assert [each["id"] for each in (await anna.client.get("/api/tokens")).json["tokens"]] == [
        other.told["id"]
    ]
    assert (await other.ask("DELETE", f"/api/devices/{phone}")).code == 204


@ensureDeferred
async def test_somebody_elses_token_looks_like_none(anna: User, bert: User) -> None:
    mine = await bearer(anna)

    answers = [
        await bert.client.request("DELETE", f"/api/{noun}/{identity}")
        for noun, known in (("tokens", mine.told["id"]), ("devices", anna.device_id))
        for identity in (known, uuid4(), "nonsense", "%00")
    ]

    assert [answer.code for answer in answers] == [404] * 8
    assert (await mine.ask("GET", "/api/account")).code == 200


@ensureDeferred
async def test_a_revoked_token_is_refused_at_once_with_all_ways_to_sign_in(anna: User) -> None:
    mine = await bearer(anna)
    assert (await mine.ask("GET", "/api/account")).code == 200

    await anna.client.request("DELETE", f"/api/devices/{anna.device_id}")

    refused = await mine.ask("GET", "/api/account")
    assert (refused.code, refused.header("WWW-Authenticate")) == (401, CHALLENGES)
    assert mine.told["token"] not in refused.body.decode()


@pytest.mark.parametrize(
    ("parameter", "order"),
    [
        ("scope", {"scope": "everything"}),
        ("expires_in", {"expires_in": "1h"}),
        ("expires_in", {"expires_in": 10**12}),
        ("device_id", {"device_id": "x"}),
        ("device.colour", {"device": {"colour": "red"}}),
        ("device.name", {"device": {"name": 1}}),
        ("device", {"device": []}),
        ("password", {"password": "x"}),
    ],
)
@ensureDeferred
async def test_an_order_that_can_not_be_is_refused_by_name(
    anna: User, parameter: str, order: dict[str, Any]
) -> None:
    answer = await anna.client.post("/api/tokens", order)

    assert (answer.code, answer.json["parameter"]) == (400, parameter)


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer ", "Bearer x", "Bearer \N{LATIN SMALL LETTER E WITH ACUTE}", "bearer stk_"],
)
@ensureDeferred
async def test_what_is_no_token_is_refused(server: Server, authorization: str) -> None:
    answer = await Client(server.port).get("/api/account", headers={"Authorization": authorization})

    assert answer.code == 401


@ensureDeferred
async def test_a_remembered_token_costs_no_look_into_the_database(
    anna: User, database_statements: list[str]
) -> None:
    mine = await bearer(anna)
    await mine.ask("GET", "/api/account")
    database_statements.clear()

    for _ in range(3):
        assert (await mine.ask("GET", "/api/account")).code == 200

    assert database_statements == ["read account"] * 3


@pytest.fixture
def database_statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The labels of the statements that were sent."""
    labels: list[str] = []
    once = Database._once

    async def noted(self: Database, label: str, attempt: Any) -> Any:
        labels.append(label)
        return await once(self, label, attempt)

    monkeypatch.setattr(Database, "_once", noted)
    return labels
