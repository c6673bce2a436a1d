"""What happened reaches the devices on the broker, in ObjectMQ's words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from pytest_twisted import ensureDeferred
from zope.interface.verify import verifyObject

from stacksync.errors import Unavailable
from stacksync.events import (
    Committed,
    Event,
    ShareProposed,
    SharesTouched,
    Unshared,
    WorkspaceTouched,
    WorkspaceUpdated,
)
from stacksync.interfaces import IEventSink
from stacksync.model import Refusal
from stacksync.protocols.amqp.methods.storage_place import StoragePlace
from stacksync.protocols.amqp.notifications import Notifications
from stacksync.protocols.amqp.publisher import MessageRefused
from tests.protocols.amqp.builders import commit_result, proposal, workspace
from tests.protocols.amqp.conftest import Logged
from tests.protocols.amqp.requests import Recorder

WORKSPACE, ANNA, BERT = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def notifications(recorder: Recorder) -> Notifications:
    publisher: Any = recorder
    return Notifications(lambda: publisher)


def test_it_is_a_sink_of_events(notifications: Notifications) -> None:
    assert verifyObject(IEventSink, notifications)


@ensureDeferred
async def test_a_commit_is_told_on_the_workspaces_exchange(
    notifications: Notifications, recorder: Recorder
) -> None:
    result = commit_result(WORKSPACE, revision=7, names=("größe.txt",))

    await notifications.announce(Committed(result))

    told = recorder.take()
    assert (told.exchange, told.routing_key) == (f"multi#{WORKSPACE}", "")
    assert told.properties == {
        "app_id": str(WORKSPACE),
        "correlation_id": result.request_id,
        "type": "gson",
    }
    assert told.json["method"] == "notifyCommit"
    assert told.json["async"] is True
    (parameter,) = told.json["params"]
    assert parameter["requestId"] == result.request_id
    assert (parameter["workspaceId"], parameter["revision"]) == (str(WORKSPACE), 7)
    assert (parameter["limitQuota"], parameter["usedQuota"]) == (1000, 35)
    (info,) = parameter["items"]
    assert (info["committedVersion"], info["commitSucceed"]) == (1, True)
    assert info["metadata"]["filename"] == "größe.txt"


@ensureDeferred
async def test_a_commit_that_was_refused_is_told_too(
    notifications: Notifications, recorder: Recorder
) -> None:
    result = commit_result(WORKSPACE, refusal=Refusal.STALE)

    await notifications.announce(Committed(result))

    (info,) = recorder.take().json["params"][0]["items"]
    assert (info["commitSucceed"], info["reason"]) == (False, "stale")


@pytest.mark.parametrize("parent", [None, 12])
@ensureDeferred
async def test_a_workspaces_new_name_is_told_to_its_member(
    notifications: Notifications, recorder: Recorder, parent: int | None
) -> None:
    renamed = workspace(id=WORKSPACE, name="Größe", parent_item_id=parent)

    await notifications.announce(WorkspaceUpdated(ANNA, "r-1", renamed))

    told = recorder.take()
    assert told.exchange == f"multi#{ANNA}"
    assert told.properties["app_id"] == str(ANNA)
    assert told.json["method"] == "notifyUpdateWorkspace"
    assert told.json["params"] == [
        {
            "requestId": "r-1",
            "workspaceId": str(WORKSPACE),
            "folderName": "Größe",
            "parentItemId": parent,
        }
    ]


@ensureDeferred
async def test_a_proposal_is_told_to_its_owner_and_its_addressee(recorder: Recorder) -> None:
    publisher: Any = recorder
    place = StoragePlace("https://swift.example.org/v1/AUTH_77")
    asked = proposal(workspace_id=WORKSPACE, owner_id=ANNA)

    await Notifications(lambda: publisher, place).announce(
        ShareProposed("r-1", asked, (ANNA, BERT))
    )

    first, second = recorder.published
    assert [told.exchange for told in (first, second)] == [f"multi#{ANNA}", f"multi#{BERT}"]
    assert first.json["method"] == "notifyShareProposal"
    assert first.properties["correlation_id"] == "r-1"
    assert (
        first.json["params"]
        == second.json["params"]
        == [
            {
                "requestId": "r-1",
                "proposalId": str(asked.id),
                "workspaceId": str(WORKSPACE),
                "folderName": "Fotos",
                "itemId": 7,
                "ownerId": str(ANNA),
                "ownerName": "Änne",
                "swiftContainer": "container",
                "swiftURL": "https://swift.example.org/v1/AUTH_77",
                "isEncrypted": False,
            }
        ]
    )


@ensureDeferred
async def test_the_end_of_a_share_is_told_to_who_takes_part_no_more(
    notifications: Notifications, recorder: Recorder
) -> None:
    over = Unshared(BERT, "r-2", WORKSPACE, 7, "Fotos", ANNA, "Änne", "container", True)

    await notifications.announce(over)

    told = recorder.take()
    assert (told.exchange, told.json["method"]) == (f"multi#{BERT}", "notifyUnshare")
    assert told.json["params"] == [
        {
            "requestId": "r-2",
            "workspaceId": str(WORKSPACE),
            "folderName": "Fotos",
            "itemId": 7,
            "ownerId": str(ANNA),
            "ownerName": "Änne",
            "swiftContainer": "container",
            "isEncrypted": True,
        }
    ]


@pytest.mark.parametrize("event", [WorkspaceTouched(WORKSPACE, 3), SharesTouched(ANNA)], ids=repr)
@ensureDeferred
async def test_what_another_instance_has_told_is_not_told_again(
    notifications: Notifications, recorder: Recorder, event: Event
) -> None:
    await notifications.announce(event)

    assert not recorder.published


@ensureDeferred
async def test_nobody_can_be_told_without_a_connection() -> None:
    with pytest.raises(Unavailable, match="broker: not connected"):
        await Notifications(lambda: None).announce(Committed(commit_result(WORKSPACE)))


@ensureDeferred
async def test_a_broker_that_is_away_is_told_as_such(
    notifications: Notifications, recorder: Recorder
) -> None:
    recorder.problems = [Unavailable("broker", "the connection was lost")]

    with pytest.raises(Unavailable, match="the connection was lost"):
        await notifications.announce(Committed(commit_result(WORKSPACE)))


@ensureDeferred
async def test_a_queue_that_takes_no_more_does_not_hold_up_commits(
    notifications: Notifications, recorder: Recorder, logged: Logged
) -> None:
    recorder.problems = [MessageRefused("a queue refused the message")]

    await notifications.announce(Committed(commit_result(WORKSPACE)))

    assert "notifyCommit did not reach all: a queue refused the message" in logged.text
