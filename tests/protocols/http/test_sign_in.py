"""The device that a request says it comes from, in the header ``StackSync-Device``."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from tests.protocols.http.builders import NOBODYS
from tests.protocols.http.conftest import Server, User, path_of


@ensureDeferred
async def test_what_is_done_is_done_by_the_device_that_is_named(server: Server, anna: User) -> None:
    named = {"StackSync-Device": str(anna.device_id)}
    file = await anna.upload("draft")

    await anna.client.put(path_of(file), {"name": "final"}, headers=named)

    first, last = reversed(await server.engine.versions.of(anna.principal, file["id"]))
    assert last.device_id == anna.device_id
    assert first.device_id != anna.device_id
    devices = await server.engine.devices.list(anna.principal)
    assert {each.id: each.name for each in devices}[first.device_id] == "HTTP"


@ensureDeferred
async def test_a_device_that_is_none_or_not_ones_own_does_nothing(anna: User, bert: User) -> None:
    async def status(device: str) -> int:
        headers = {"StackSync-Device": device}
        return (await anna.client.post("/api/folder", {"name": "x"}, headers=headers)).code

    assert await status("nonsense") == 400
    assert await status(str(bert.device_id)) == 404
    assert await status(NOBODYS) == 404
