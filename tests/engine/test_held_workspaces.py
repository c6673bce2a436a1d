"""Commits to a workspace that somebody else holds hold up no others."""

from __future__ import annotations

import pytest

from stacksync.engine.commit_queue import CommitQueue
from tests.engine.commit_transactions import A, B, C, D, Transactions, request, told


@pytest.fixture
def database() -> Transactions:
    return Transactions()


def test_what_somebody_else_holds_goes_again_alone_and_waits(database: Transactions) -> None:
    queue = CommitQueue(database, lanes=2)
    queue.commit(request(C, "0"))
    queue.commit(request(D, "1"))
    asking = [queue.commit(request(place, n)) for n, place in (("2", A), ("3", B), ("4", A))]
    database.running[0].succeed()
    assert database.ids == ["1", "234"]

    queue.commit(request(A, "5"))
    database.running[1].succeed(frozenset([A]))
    assert [each.called for each in asking] == [False, True, False]
    assert [(each.ids, each.is_patient) for each in database.running] == [
        ("1", False),
        ("245", True),
    ]
    database.running[1].succeed()
    assert [told(each) for each in asking] == [f"answer to {n}" for n in "234"]

    queue.commit(request(A, "6"))
    assert [(each.ids, each.is_patient) for each in database.running][1:] == [("6", False)]


def test_however_much_is_held_one_lane_is_left_to_the_others(database: Transactions) -> None:
    queue = CommitQueue(database, lanes=3)
    for place in (A, B, C):
        queue.commit(request(place))
    for _ in range(3):
        next(each for each in database.running if not each.is_patient).succeed(frozenset([A, B, C]))
    assert [each.workspaces for each in database.running] == [[A], [B]]

    asking = queue.commit(request(D, "4"))
    next(each for each in database.running if not each.is_patient).succeed()
    assert told(asking) == "answer to 4"

    database.running[0].succeed()
    assert [each.workspaces for each in database.running] == [[B], [C]]


def test_a_later_request_does_not_overtake_a_held_one_when_all_are_tried_alone(
    database: Transactions,
) -> None:
    queue = CommitQueue(database, lanes=1)
    queue.commit(request(D, "0"))
    for request_id, place in (("1", A), ("2", A), ("3", B)):
        queue.commit(request(place, request_id))
    database.running[0].succeed()
    database.running[0].fail(ValueError("one of these"))
    assert database.ids == ["1"]
    database.running[0].succeed(frozenset([A]))
    assert database.ids == ["3"]
    database.running[0].succeed()
    assert database.ids == ["12"]
    assert database.running[0].is_patient
