"""``commit``: what became of each item, for who wants an answer and for who listens."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import orjson
import pytest
from pytest_twisted import ensureDeferred

from stacksync.engine import Engine
from stacksync.errors import Unavailable
from stacksync.protocols.amqp.notifications import Notifications
from tests.protocols.amqp.builders import MODIFIED, new_file, new_folder, next_version
from tests.protocols.amqp.conftest import User
from tests.protocols.amqp.requests import Recorder, request
from tests.protocols.amqp.waiting import eventually


def reasons(notification: dict[str, Any]) -> list[str | None]:
    return [info.get("reason") for info in notification["items"]]


@ensureDeferred
async def test_a_tree_is_committed_by_temporary_ids(anna: User) -> None:
    told = await anna.commit(
        new_folder("größe", -1),
        new_folder("inner", -2, parentId=-1),
        new_file("💾.txt", parentId=-2, tempId=-3),
        requestId="r-1",
    )

    assert (told["requestId"], told["workspaceId"]) == ("r-1", anna.workspace_id)
    assert (told["revision"], told["limitQuota"], told["usedQuota"]) == (1, 10**9, 5)
    outer, inner, file = told["items"]
    assert [info["commitSucceed"] for info in told["items"]] == [True] * 3
    assert inner["metadata"]["parentId"] == outer["metadata"]["id"]
    assert file["committedVersion"] == 1
    assert file["metadata"] == {
        "id": file["metadata"]["id"],
        "tempId": -3,
        "version": 1,
        "revision": 1,
        "deviceId": anna.device_id,
        "workspaceId": anna.workspace_id,
        "parentId": inner["metadata"]["id"],
        "parentVersion": 1,
        "status": "NEW",
        "modifiedAt": MODIFIED,
        "checksum": 93061639,
        "chunks": ["chk-AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D-1"],
        "size": 5,
        "isFolder": False,
        "filename": "💾.txt",
        "mimetype": "text/plain",
    }


@ensureDeferred
async def test_what_the_server_told_may_be_sent_back_as_the_next_version(anna: User) -> None:
    (created,) = (await anna.commit(new_file()))["items"]

    (changed,) = (await anna.commit(next_version(created["metadata"], size=7)))["items"]

    assert (changed["committedVersion"], changed["metadata"]["size"]) == (2, 7)


@ensureDeferred
async def test_the_loser_of_a_race_is_told_the_winners_version(anna: User) -> None:
    (created,) = (await anna.commit(new_file("a.txt")))["items"]
    await anna.commit(next_version(created["metadata"], checksum=1))

    told = await anna.commit(next_version(created["metadata"], checksum=2))

    (info,) = told["items"]
    assert (info["commitSucceed"], info["reason"]) == (False, "stale")
    assert info["committedVersion"] == 2
    assert info["metadata"]["checksum"] == 1


@ensureDeferred
async def test_a_refused_item_refuses_what_depends_on_it_and_nothing_else(anna: User) -> None:
    await anna.commit(new_file("taken"))

    told = await anna.commit(
        new_file("before"),
        new_folder("taken", -1),
        new_file("inside", parentId=-1),
        new_file("after"),
    )

    assert reasons(told) == [None, "name-taken", "dependency", None]


@ensureDeferred
async def test_an_item_that_cannot_be_is_told_as_it_was_asked_with_its_problem(
    anna: User,
) -> None:
    told = await anna.commit(new_file("a/b", tempId=-7), new_file("good"))

    bad, good = told["items"]
    assert good["commitSucceed"]
    assert (bad["commitSucceed"], bad["reason"]) == (False, "invalid")
    assert bad["problem"] == "filename: holds a slash or a NUL"
    assert bad["committedVersion"] is None
    assert (bad["metadata"]["filename"], bad["metadata"]["tempId"]) == ("a/b", -7)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"filename": ".."}, "filename: cannot be '..'"),
        ({"filename": "x" * 256}, "filename: has 256 bytes in UTF-8; 255 are allowed"),
        ({"size": -1}, "size: -1 is not between 0 and 2^63 - 1"),
        ({"size": 2**63}, f"size: {2**63} is not between 0 and 2^63 - 1"),
        ({"checksum": 2**63}, f"checksum: {2**63} is not a signed 64-bit integer"),
        ({"id": 2**63}, f"id: {2**63} is not an item's id"),
        ({"parentId": 2**64 - 1}, f"parentId: {2**64 - 1} is not a 64-bit integer"),
        ({"chunks": ["a", "b/c"]}, "chunks[1]: holds a slash or a NUL"),
        ({"modifiedAt": "0001-01-01T00:00:00Z"}, "modifiedAt: is out of range"),
        ({"version": 2}, "version: a new item has version 1, not 2"),
        ({"mimetype": "\0"}, "mimetype: holds a NUL"),
    ],
)
@ensureDeferred
async def test_a_problem_is_told_in_this_protocols_names(
    anna: User, fields: dict[str, Any], problem: str
) -> None:
    (info,) = (await anna.commit(new_file(**fields)))["items"]

    assert (info["reason"], info["problem"]) == ("invalid", problem)


@pytest.mark.parametrize("temp_id", [2**64 - 1, -(2**63)])
@ensureDeferred
async def test_a_temporary_id_is_any_number_of_the_clients(anna: User, temp_id: int) -> None:
    told = await anna.commit(new_folder("f", temp_id))

    assert told["items"][0]["metadata"]["tempId"] == temp_id


@ensureDeferred
async def test_the_same_request_again_has_one_effect_and_the_same_answer(anna: User) -> None:
    file = new_file("once.txt")

    first = await anna.commit(file, requestId="r-1")
    second = await anna.commit(file, requestId="r-1")

    assert first == second
    assert len(await anna.call("getChanges", workspaceId=anna.workspace_id)) == 1


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"items": None}, "items: is missing"),
        ({"items": {}}, "items: must be a list"),
        ({"items": []}, "items: is empty"),
        ({"items": [7]}, "items[0]: must be an object"),
        ({"items": [new_file(), {}]}, "items[1].status: is missing"),
        ({"items": [new_file(size="5")]}, "items[0].size: must be an integer of 64 bits"),
        ({"items": [new_file(checksum=2.0**70)]}, "items[0].checksum: must be an integer of 64"),
        ({"items": [new_file(chunks="chk-1")]}, "items[0].chunks: must be a list of strings"),
        ({"items": [new_file(chunks=[1])]}, "items[0].chunks[0]: must be a string"),
        ({"items": [new_file(status="GONE")]}, "items[0].status: must be one of NEW, CHANGED"),
        ({"items": [new_file(modifiedAt="today")]}, "items[0].modifiedAt: must be an ISO 8601"),
        ({"workspaceId": None}, "workspaceId: is missing"),
        ({"deviceId": "x"}, "deviceId: must be a UUID"),
        ({"requestId": ""}, "requestId: is empty"),
        ({"requestId": "é" * 65}, "requestId: has more than 128 bytes in UTF-8"),
    ],
)
@ensureDeferred
async def test_a_wrong_commit_is_refused_as_a_whole_with_the_field(
    anna: User, fields: dict[str, Any], complaint: str
) -> None:
    kind, message = await anna.refusal("commit", **anna.batch(new_file(), **fields))

    assert kind == "IllegalArgumentException"
    assert message.startswith(complaint)
    assert await anna.call("getChanges", workspaceId=anna.workspace_id) == []


@ensureDeferred
async def test_what_is_somebody_elses_looks_like_nothing(anna: User, bert: User) -> None:
    for workspace in (bert.workspace_id, str(uuid4())):
        refusal = await anna.refusal("commit", **anna.batch(new_file(), workspaceId=workspace))
        assert refusal == ("IllegalArgumentException", f"no such workspace: {workspace}")
    for device in (bert.device_id, str(uuid4())):
        refusal = await anna.refusal("commit", **anna.batch(new_file(), deviceId=device))
        assert refusal == ("IllegalArgumentException", f"no such device: {device}")


@ensureDeferred
async def test_a_commit_is_dealt_with_when_the_devices_have_been_told(
    anna: User, engine: Engine, recorder: Recorder
) -> None:
    told = Recorder(problems=[Unavailable("broker", "not connected")] * 2)
    publisher: Any = told
    engine.notifier.subscribe(Notifications(lambda: publisher))
    asked = request("commit", anna.signed(anna.batch(new_file("a.txt"))), is_async=True)

    await anna.caller.server.serve(asked)

    assert not recorder.published
    notification = told.take()
    assert notification.exchange == f"multi#{anna.workspace_id}"
    (parameter,) = notification.json["params"]
    assert parameter["requestId"] == orjson.loads(asked.body)["params"][0]["requestId"]
    assert parameter["items"][0]["metadata"]["filename"] == "a.txt"


@ensureDeferred
async def test_who_wants_an_answer_is_told_what_the_devices_are_told(
    anna: User, engine: Engine
) -> None:
    told = Recorder()
    publisher: Any = told
    engine.notifier.subscribe(Notifications(lambda: publisher))

    answer = await anna.commit(new_file())

    await eventually(lambda: told.published)
    assert told.take().json["params"] == [answer]
