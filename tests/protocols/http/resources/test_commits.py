"""``POST /workspaces/:id/commits``: per-item results, harmless repeats, and no lost commits."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from stacksync.errors import Forbidden, RequestReused, Unavailable
from tests.protocols.http.builders import changed, commit_result, new_file, new_folder
from tests.protocols.http.client import Patience, eventually
from tests.protocols.http.conftest import StartSite, User
from tests.protocols.http.engines import MadeUpEngine, Noun, raising

BATCH = {"device_id": str(uuid4()), "items": [new_file("a")]}


@ensureDeferred
async def test_a_new_file_gets_an_id_and_a_revision(anna: User) -> None:
    answer = await anna.client.post(
        anna.commits, {**anna.batch(new_file("ä 🦉.txt", temp_id=-1)), "request_id": "r-1"}
    )

    assert answer.code == 200
    told = answer.json
    (outcome,) = told.pop("items")
    assert told == {
        "workspace_id": str(anna.workspace.id),
        "revision": 1,
        "request_id": "r-1",
        "device_id": str(anna.device_id),
        "quota_limit": 10**9,
        "quota_used": 5,
    }
    metadata = outcome.pop("metadata")
    assert outcome == {
        "committed": True,
        "reason": None,
        "problem": None,
        "committed_version": 1,
        "temp_id": -1,
    }
    assert isinstance(metadata.pop("id"), int)
    assert metadata == {
        "parent_id": None,
        "filename": "ä 🦉.txt",
        "is_folder": False,
        "status": "NEW",
        "modified_at": "2026-11-21T05:27:00.123Z",
        "version": 1,
        "checksum": 93061639,
        "size": 5,
        "mimetype": "text/plain",
        "chunks": ["chk-AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D-1"],
    }


@ensureDeferred
async def test_a_tree_is_committed_by_temporary_ids(anna: User) -> None:
    told = await anna.commit(
        new_folder("music", 1),
        new_folder("bach", 2, parent_id=1),
        new_file("fugue.ogg", temp_id=3, parent_id=2),
    )

    music, bach, fugue = [outcome["metadata"] for outcome in told["items"]]
    assert (bach["parent_id"], fugue["parent_id"]) == (music["id"], bach["id"])
    assert (music["is_folder"], music["chunks"]) == (True, None)


@ensureDeferred
async def test_a_stale_version_is_refused_with_the_one_that_the_server_has(anna: User) -> None:
    (first,) = (await anna.commit(new_file("notes")))["items"]
    await anna.commit(changed(first["metadata"], size=6))

    told = await anna.commit(changed(first["metadata"], size=7), new_file("other"))

    stale, other = told["items"]
    assert (stale["committed"], stale["reason"], stale["committed_version"]) == (
        False,
        "stale",
        None,
    )
    assert (stale["metadata"]["version"], stale["metadata"]["size"]) == (2, 6)
    assert other["committed"]


@ensureDeferred
async def test_a_batch_in_which_all_is_refused_is_still_answered_item_by_item(
    anna: User,
) -> None:
    await anna.commit(new_file("notes"))

    told = await anna.commit(new_file("notes"))

    assert [each["reason"] for each in told["items"]] == ["name-taken"]
    assert told["revision"] == 1


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"filename": ".."}, "filename: cannot be '..'"),
        ({"filename": "a\0b"}, "filename: holds a slash or a NUL"),
        ({"filename": "a" * 256}, "filename: has 256 bytes in UTF-8; 255 are allowed"),
        ({"filename": ""}, "filename: is empty"),
        ({"size": 2**63}, "size: 9223372036854775808 is not between 0 and 2^63 - 1"),
        ({"size": -1}, "size: -1 is not between 0 and 2^63 - 1"),
        ({"checksum": 2**63}, "checksum: 9223372036854775808 is not a signed 64-bit integer"),
        ({"chunks": ["fine", "a/b"]}, "chunks[1]: holds a slash or a NUL"),
    ],
)
@ensureDeferred
async def test_what_no_item_can_have_is_refused_in_the_names_of_this_protocol(
    anna: User, fields: dict[str, Any], problem: str
) -> None:
    told = await anna.commit(new_file("fine 1"), new_file(**fields), new_file("fine 2"))

    assert [each["reason"] for each in told["items"]] == [None, "invalid", None]
    assert told["items"][1]["problem"] == problem


@ensureDeferred
async def test_a_folder_is_deleted_with_its_content(anna: User) -> None:
    told = await anna.commit(new_folder("music", 1), new_file("fugue", parent_id=1))
    folder, fugue = [each["metadata"] for each in told["items"]]

    told = await anna.commit(changed(folder, status="DELETED"))

    assert [each["metadata"]["id"] for each in told["items"]] == [folder["id"], fugue["id"]]
    assert [each["metadata"]["status"] for each in told["items"]] == ["DELETED", "DELETED"]
    assert told["items"][1]["temp_id"] is None
    assert told["quota_used"] == 0


@ensureDeferred
async def test_a_repeat_is_answered_as_the_first_time(anna: User) -> None:
    headers = {"Idempotency-Key": "key 1"}
    first = await anna.commit(new_file("notes"), headers=headers)

    assert await anna.commit(new_file("notes"), headers=headers) == first
    assert first["request_id"] == "key 1"
    assert (await anna.client.get("/api/workspaces")).json["workspaces"][0]["latest_revision"] == 1


@ensureDeferred
async def test_without_a_request_id_the_server_makes_one(anna: User) -> None:
    one, other = await anna.commit(new_file()), await anna.commit(new_file())

    assert one["request_id"] != other["request_id"]


@ensureDeferred
async def test_a_request_id_in_the_body_must_be_that_in_the_header(anna: User) -> None:
    batch = {**anna.batch(new_file()), "request_id": "one"}

    answer = await anna.client.post(anna.commits, batch, headers={"Idempotency-Key": "other"})
    assert answer.code == 400
    assert answer.json["parameter"] == "request_id"

    answer = await anna.client.post(anna.commits, batch, headers={"Idempotency-Key": "one"})
    assert answer.code == 200


@ensureDeferred
async def test_a_request_id_for_another_batch_is_a_conflict(anna: User) -> None:
    headers = {"Idempotency-Key": "key 1"}
    await anna.commit(new_file("notes"), headers=headers)

    answer = await anna.client.post(
        anna.commits, anna.batch(new_file(), new_file()), headers=headers
    )

    assert answer.code == 409
    assert "key 1" in answer.json["description"]


@ensureDeferred
async def test_somebody_elses_workspace_and_device_look_like_none(anna: User, bert: User) -> None:
    answers = [
        await bert.client.post(anna.commits, bert.batch(new_file())),
        await bert.client.post(f"/api/workspaces/{uuid4()}/commits", bert.batch(new_file())),
        await bert.client.post("/api/workspaces/nonsense/commits", bert.batch(new_file())),
        await bert.client.post(bert.commits, anna.batch(new_file())),
        await bert.client.post(bert.commits, {**bert.batch(new_file()), "device_id": str(uuid4())}),
    ]

    assert [answer.code for answer in answers] == [404] * 5
    kinds = [answer.json["description"].split(":")[0] for answer in answers]
    assert kinds == ["no such workspace"] * 3 + ["no such device"] * 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Forbidden("you may only look"), 403),
        (RequestReused("r", 1, 2), 409),
        (Unavailable("database", "restarting"), 503),
    ],
)
@ensureDeferred
async def test_what_the_engine_refuses_has_its_code(
    start_site: StartSite, error: Exception, code: int
) -> None:
    _, client = await start_site(MadeUpEngine(commits=Noun(commit=raising(error))))

    answer = await client.post(f"/api/workspaces/{uuid4()}/commits", BATCH)

    assert answer.code == code
    assert answer.json == {"error": code, "description": str(error)}
    assert (answer.header("Retry-After") is not None) == (code == 503)


class SlowCommits:
    """Commits that wait until the test lets them go on."""

    def __init__(self) -> None:
        self.patience = Patience()
        self.done = 0

    async def commit(self, principal: Any, request: Any) -> Any:
        await self.patience.wait()
        self.done += 1
        return commit_result(request.workspace_id)


@ensureDeferred
async def test_a_commit_goes_on_when_its_client_has_gone(start_site: StartSite) -> None:
    commits = SlowCommits()
    site, client = await start_site(MadeUpEngine(commits=commits))
    posting = await client.raw()
    body = b'{"device_id":"%s","items":[]}' % str(uuid4()).encode()
    posting.send(
        f"POST /api/workspaces/{uuid4()}/commits HTTP/1.1\r\nHost: x\r\n"
        f"{client.authorization_line}Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    posting.send(body)
    await eventually(lambda: commits.patience.waiting)

    posting.hang_up()
    await eventually(lambda: not site.channels)
    assert len(site.in_flight) == 0
    commits.patience.go_on()

    assert commits.done == 1


@ensureDeferred
async def test_a_commit_that_takes_too_long_is_answered_so_and_goes_on(
    start_site: StartSite,
) -> None:
    commits = SlowCommits()
    clock = Clock()
    _, client = await start_site(MadeUpEngine(commits=commits), clock=clock, request_timeout=60)
    path = f"/api/workspaces/{uuid4()}/commits"
    posted = Deferred.fromCoroutine(client.post(path, BATCH))
    await eventually(lambda: commits.patience.waiting)

    clock.advance(61)

    answer = await posted
    assert answer.code == 503
    assert "may still be carried out" in answer.json["description"]
    commits.patience.go_on()
    assert commits.done == 1


@ensureDeferred
async def test_a_commit_of_many_items_is_answered_whole(anna: User) -> None:
    told = await anna.commit(*[new_file(f"{number:04}") for number in range(1000)])

    assert [each["metadata"]["filename"] for each in told["items"]] == [
        f"{number:04}" for number in range(1000)
    ]
