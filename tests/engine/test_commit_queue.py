"""Waiting commits go together, each workspace's in their order, and fail alone."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred

from stacksync.engine.commit_queue import (
    CHANGES_PER_TRANSACTION,
    REQUESTS_PER_TRANSACTION,
    Answer,
    CommitQueue,
)
from stacksync.errors import Overloaded, Unavailable
from tests.engine.commit_transactions import A, B, C, D, Transactions, request, told


@pytest.fixture
def database() -> Transactions:
    return Transactions()


def test_a_commit_with_nobody_else_goes_at_once_and_alone(database: Transactions) -> None:
    queue = CommitQueue(database, lanes=1)
    asking = queue.commit(request(A, "1"))
    assert database.ids == ["1"]
    assert not asking.called
    database.running[0].succeed()
    assert told(asking) == "answer to 1"
    assert database.running == []


def test_those_who_come_meanwhile_go_together_and_get_their_own_answers(
    database: Transactions,
) -> None:
    queue = CommitQueue(database, lanes=1)
    asking = [queue.commit(request(place, str(n))) for n, place in enumerate([A, B, C, B, A])]
    assert database.ids == ["0"]
    database.running[0].succeed()
    assert database.ids == ["1234"]
    assert [each.called for each in asking] == [True, False, False, False, False]
    database.running[0].succeed()
    assert [told(each) for each in asking] == [f"answer to {n}" for n in range(5)]


def test_a_workspace_is_in_one_transaction_at_a_time(database: Transactions) -> None:
    queue = CommitQueue(database, lanes=3)
    for request_id, place in (("1", A), ("2", A), ("3", B), ("4", A), ("5", B)):
        queue.commit(request(place, request_id))
    assert database.ids == ["1", "3"]
    database.running[1].succeed()
    assert database.ids == ["1", "5"]
    database.running[0].succeed()
    assert database.ids == ["5", "24"]


def test_as_many_transactions_run_as_there_are_lanes(database: Transactions) -> None:
    queue = CommitQueue(database, lanes=2)
    for request_id, place in (("1", A), ("2", B), ("3", C), ("4", D)):
        queue.commit(request(place, request_id))
    assert database.ids == ["1", "2"]
    database.running[1].succeed()
    assert database.ids == ["1", "34"]


def test_a_group_is_bounded_in_requests_and_in_changes(database: Transactions) -> None:
    queue = CommitQueue(database, lanes=1)
    queue.commit(request(A))
    for number in range(REQUESTS_PER_TRANSACTION + 5):
        queue.commit(request(UUID(int=1000 + number)))
    database.running[0].succeed()
    assert len(database.running[0].group) == REQUESTS_PER_TRANSACTION
    queue.commit(request(B, changes=CHANGES_PER_TRANSACTION - 5))
    queue.commit(request(C))
    database.running[0].succeed()
    # The five that were left, B's large one, but C's not any more.
    assert database.running[0].workspaces[5:] == [B]
    database.running[0].succeed()
    assert database.running[0].workspaces == [C]


def test_a_large_one_goes_alone_and_is_not_passed_over_for_ever(database: Transactions) -> None:
    queue = CommitQueue(database, lanes=1)
    queue.commit(request(A, "1"))
    queue.commit(request(B, "2"))
    queue.commit(request(C, "L", changes=10 * CHANGES_PER_TRANSACTION))
    queue.commit(request(B, "3"))
    database.running[0].succeed()
    assert database.ids == ["23"]
    queue.commit(request(D, "4"))
    database.running[0].succeed()
    assert database.ids == ["L"]
    database.running[0].succeed()
    assert database.ids == ["4"]


def test_a_small_one_does_not_overtake_a_large_one_of_its_workspace(
    database: Transactions,
) -> None:
    queue = CommitQueue(database, lanes=1)
    queue.commit(request(D, "0"))
    queue.commit(request(A, "1"))
    queue.commit(request(B, "2", changes=CHANGES_PER_TRANSACTION))
    queue.commit(request(B, "3"))
    queue.commit(request(C, "4"))
    database.running[0].succeed()
    assert database.ids == ["14"]
    database.running[0].succeed()
    assert database.ids == ["2"]


def test_a_group_with_something_wrong_in_it_is_tried_one_by_one(database: Transactions) -> None:
    queue = CommitQueue(database, lanes=1)
    queue.commit(request(D, "0"))
    asking = [queue.commit(request(place, n)) for n, place in (("1", A), ("2", B), ("3", C))]
    database.running[0].succeed()
    database.running[0].fail(ValueError("one of these"))
    for request_id in "123":
        assert database.ids == [request_id]
        if request_id == "2":
            database.running[0].fail(ValueError("it is me"))
        else:
            database.running[0].succeed()
    assert told(asking[0]) == "answer to 1"
    assert str(told(asking[1])) == "it is me"
    assert told(asking[2]) == "answer to 3"
    queue.commit(request(B, "4"))
    assert database.ids == ["4"]


@pytest.mark.parametrize("kind", [Unavailable, Overloaded])
def test_when_the_database_is_away_nothing_is_tried_one_by_one(
    database: Transactions, kind: type[Unavailable]
) -> None:
    queue = CommitQueue(database, lanes=1)
    queue.commit(request(D, "0"))
    asking = [queue.commit(request(A, "1")), queue.commit(request(B, "2"))]
    database.running[0].succeed()
    database.running[0].fail(kind("database", "gone"))
    assert [str(told(each)) for each in asking] == ["database: gone"] * 2
    assert database.running == []


def test_who_gives_up_waiting_does_not_undo_his_commit_nor_delay_others(
    database: Transactions,
) -> None:
    queue = CommitQueue(database, lanes=1)
    asking = [queue.commit(request(A, str(n))) for n in range(3)]
    for gone in asking[:2]:
        gone.cancel()
        assert isinstance(told(gone), CancelledError)
    assert database.ids == ["0"]
    database.running[0].succeed()
    assert database.ids == ["12"]
    database.running[0].succeed()
    assert told(asking[2]) == "answer to 2"


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 3), st.data())
def test_whatever_comes_each_workspaces_commits_keep_their_order(
    lanes: int, data: st.DataObject
) -> None:
    database = Transactions()
    queue = CommitQueue(database, lanes)
    sent: dict[UUID, list[str]] = {place: [] for place in (A, B, C)}
    done: dict[UUID, list[str]] = {place: [] for place in (A, B, C)}
    asking: list[Deferred[Answer]] = []

    def end_one() -> None:
        number = data.draw(st.integers(0, len(database.running) - 1))
        transaction = database.running[number]
        held: frozenset[UUID] = frozenset()
        if not transaction.is_patient:
            held = data.draw(st.frozensets(st.sampled_from([A, B, C])))
        for ready in transaction.group:
            if ready.request.workspace_id not in held:
                done[ready.request.workspace_id].append(ready.request.request_id)
        transaction.succeed(held)

    for number in range(data.draw(st.integers(0, 40))):
        if database.running and data.draw(st.booleans()):
            end_one()
        place = data.draw(st.sampled_from([A, B, C]))
        changes = data.draw(st.sampled_from([1, 100, CHANGES_PER_TRANSACTION, 1000]))
        sent[place].append(str(number))
        asking.append(queue.commit(request(place, str(number), changes)))
        at_work = [each for running in database.running for each in set(running.workspaces)]
        assert len(at_work) == len(set(at_work))
        assert len(database.running) <= lanes
    while database.running:
        end_one()
    assert done == sent
    assert [told(each) for each in asking] == [f"answer to {n}" for n in range(len(asking))]
