"""``CommitInfo`` and ``ItemMetadata``, field by field."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import pytest

from stacksync.model import CommitResult, ItemChange, ItemOutcome, ItemStatus, Refusal
from stacksync.protocols.amqp.methods.items import ITEM_METADATA, commit_info, commit_notification
from tests.protocols.amqp.builders import MODIFIED, WHEN, item

DEVICE, WORKSPACE = UUID(int=1), UUID(int=2)
ASKED = ItemChange(
    status=ItemStatus.NEW,
    version=1,
    modified_at=WHEN,
    temp_id=-4,
    parent_id=-3,
    name="notes.txt",
    is_folder=False,
    chunks=("chk-1",),
)


def on_the_wire(info: Any) -> Any:
    return orjson.loads(orjson.dumps(info))


def test_an_item_is_told_with_every_field_of_the_contract() -> None:
    told = on_the_wire(
        ITEM_METADATA.encode(
            item(id=7, workspace_id=WORKSPACE, device_id=DEVICE, parent_id=3, parent_version=2)
        )
    )

    assert told == {
        "id": 7,
        "version": 1,
        "revision": 1,
        "deviceId": str(DEVICE),
        "workspaceId": str(WORKSPACE),
        "parentId": 3,
        "parentVersion": 2,
        "status": "NEW",
        "modifiedAt": MODIFIED,
        "checksum": 93061639,
        "chunks": ["chk-1"],
        "size": 5,
        "isFolder": False,
        "filename": "notes.txt",
        "mimetype": "text/plain",
    }


def test_a_committed_item_is_told_with_the_clients_own_number() -> None:
    info = commit_info(ItemOutcome(None, item(version=3), ASKED))

    assert (info["committedVersion"], info["commitSucceed"]) == (3, True)
    assert info["metadata"]["tempId"] == -4
    assert "reason" not in info


def test_what_the_commit_touched_by_itself_has_no_number() -> None:
    info = commit_info(ItemOutcome(None, item(status=ItemStatus.DELETED), None))

    assert "tempId" not in info["metadata"]


def test_the_loser_gets_the_winners_version() -> None:
    info = commit_info(ItemOutcome(Refusal.NAME_TAKEN, item(id=9, version=5), ASKED))

    assert (info["committedVersion"], info["commitSucceed"]) == (5, False)
    assert info["reason"] == "name-taken"
    assert info["metadata"]["id"] == 9


def test_where_there_is_no_version_to_tell_the_client_gets_back_what_it_asked() -> None:
    info = on_the_wire(commit_info(ItemOutcome(Refusal.PARENT_NOT_FOUND, None, ASKED)))

    assert info == {
        "committedVersion": None,
        "commitSucceed": False,
        "metadata": {
            "tempId": -4,
            "version": 1,
            "parentId": -3,
            "status": "NEW",
            "modifiedAt": MODIFIED,
            "chunks": ["chk-1"],
            "isFolder": False,
            "filename": "notes.txt",
        },
        "reason": "parent-not-found",
    }


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        ("name: is empty", "filename: is empty"),
        ("temp_id: -4 names an earlier item", "tempId: -4 names an earlier item"),
        ("modified_at: is out of range", "modifiedAt: is out of range"),
        ("chunks[3]: is empty", "chunks[3]: is empty"),
    ],
)
def test_a_problem_names_the_field_as_the_client_does(problem: str, told: str) -> None:
    info = commit_info(ItemOutcome(Refusal.INVALID, None, ASKED, problem))

    assert info["problem"] == told


def test_a_notification_tells_the_outcomes_in_their_order_and_the_quota() -> None:
    outcomes = tuple(ItemOutcome(None, item(id=number), None) for number in (3, 1, 2))
    result = CommitResult(WORKSPACE, "r-1", DEVICE, 7, outcomes, 1000, 500)

    told = on_the_wire(commit_notification(result))

    assert [info["metadata"]["id"] for info in told.pop("items")] == [3, 1, 2]
    assert told == {
        "requestId": "r-1",
        "workspaceId": str(WORKSPACE),
        "revision": 7,
        "limitQuota": 1000,
        "usedQuota": 500,
    }
