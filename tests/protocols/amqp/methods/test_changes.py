"""``getChanges``: the whole state for old clients, what is new for those with a cursor."""

from __future__ import annotations

from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.amqp.builders import MODIFIED, new_file, new_folder, next_version
from tests.protocols.amqp.conftest import User


@ensureDeferred
async def test_an_empty_workspace_has_no_changes(anna: User) -> None:
    assert await anna.call("getChanges", workspaceId=anna.workspace_id) == []


@ensureDeferred
async def test_without_a_cursor_everything_is_told_parents_first(anna: User) -> None:
    told = await anna.commit(
        new_folder("f", -1), new_file("a.txt", parentId=-1), new_file("gone.txt")
    )
    folder, file, gone = (info["metadata"] for info in told["items"])
    await anna.commit(next_version(gone, status="DELETED"))

    items = await anna.call("getChanges", workspaceId=anna.workspace_id)

    assert [(each["filename"], each["status"]) for each in items] == [
        ("f", "NEW"),
        ("a.txt", "NEW"),
        ("gone.txt", "DELETED"),
    ]
    assert items[1] == file
    assert {key: value for key, value in folder.items() if key != "tempId"} == items[0]


@ensureDeferred
async def test_a_change_is_told_as_its_commit_was(anna: User) -> None:
    told = await anna.commit(new_file("größe 💾.txt", modifiedAt=1795325220123))

    (item,) = await anna.call("getChanges", workspaceId=anna.workspace_id)

    assert item == told["items"][0]["metadata"]
    assert item["modifiedAt"] == MODIFIED.replace("2026-11-21T05:27:00", "2026-11-22T05:27:00")


@ensureDeferred
async def test_with_a_cursor_only_what_is_new_is_told(anna: User) -> None:
    first = await anna.commit(new_file("a.txt"), new_file("b.txt"))
    a, _ = (info["metadata"] for info in first["items"])
    second = await anna.commit(next_version(a, status="DELETED"), new_file("c.txt"))

    async def since(revision: int) -> list[tuple[str, str]]:
        items = await anna.call("getChanges", workspaceId=anna.workspace_id, sinceRevision=revision)
        return [(each["filename"], each["status"]) for each in items]

    assert sorted(await since(first["revision"])) == [("a.txt", "DELETED"), ("c.txt", "NEW")]
    assert await since(second["revision"]) == []
    assert sorted(await since(0)) == [("b.txt", "NEW"), ("c.txt", "NEW")]


@ensureDeferred
async def test_a_cursor_from_the_future_is_told_to_begin_anew(anna: User) -> None:
    kind, message = await anna.refusal(
        "getChanges", workspaceId=anna.workspace_id, sinceRevision=99
    )

    assert kind == "IllegalArgumentException"
    assert "ask for the whole state" in message


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"workspaceId": None}, "workspaceId: is missing"),
        ({"sinceRevision": -1}, "sinceRevision: -1 is not a revision"),
        ({"sinceRevision": 2**63}, f"sinceRevision: {2**63} is not a revision"),
        ({"sinceRevision": "1"}, "sinceRevision: must be an integer of 64 bits"),
    ],
)
@ensureDeferred
async def test_a_wrong_question_is_refused_with_the_field(
    anna: User, fields: dict[str, object], complaint: str
) -> None:
    refusal = await anna.refusal("getChanges", **{"workspaceId": anna.workspace_id, **fields})

    assert refusal == ("IllegalArgumentException", complaint)


@ensureDeferred
async def test_somebody_elses_workspace_looks_like_none(anna: User, bert: User) -> None:
    await bert.commit(new_file())

    for workspace in (bert.workspace_id, str(uuid4())):
        assert await anna.refusal("getChanges", workspaceId=workspace) == (
            "IllegalArgumentException",
            f"no such workspace: {workspace}",
        )
