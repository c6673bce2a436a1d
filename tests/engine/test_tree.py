"""Whatever two devices commit, the workspace is what a simple model says, and devices can follow.

Random batches, races and repeats against :mod:`tests.engine.tree_model`.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import orjson
from attrs import evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import blockingCallFromThread, deferToThread

from stacksync.model import CommitRequest, CommitResult, ItemChange, ItemShape, ItemStatus
from tests.db.builders import NOON, refusals
from tests.db.invariants import check
from tests.db.observation import Psql
from tests.engine.conftest import People
from tests.engine.tree_model import Node, State, Tree

SHAPE = ItemShape(
    {name: name for name in ("id", "name", "parent_id", "is_folder", "size", "version", "revision",
        "status")}
)  # fmt: skip
QUOTA = 100
EXAMPLES, STEPS = 30, 20

T = TypeVar("T")

names = st.sampled_from(["a", "b", "c"])
sizes = st.integers(0, 90)
rarely = st.integers(0, 9).map(lambda number: number == 0)


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """The result of something that the reactor does; for another thread than the reactor's."""
    result: T = blockingCallFromThread(reactor, Deferred.fromCoroutine, work)
    return result


class Workspace(RuleBasedStateMachine):
    """Two devices and the model of what they do."""

    def __init__(self, people: People, psql: Psql) -> None:
        super().__init__()
        self.psql = psql
        self.person = wait_for(people.person(QUOTA))
        user = self.person.user
        self.devices = [user.device_id, wait_for(people.world.device(user.account))]
        self.tree = Tree(QUOTA)
        self.answered: list[tuple[CommitRequest, CommitResult]] = []

    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        self._commit([self._request(data)])

    @rule(data=st.data())
    def both_at_once(self, data: st.DataObject) -> None:
        self._commit([self._request(data), self._request(data)])

    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        if self.answered:
            request, first = data.draw(st.sampled_from(self.answered))
            (result,) = self._send([request])
            assert result == evolve(first, repeated=True, quota_used=self.tree.used)

    @rule(data=st.data())
    def somebody_catches_up(self, data: st.DataObject) -> None:
        since = data.draw(st.integers(0, self.tree.revision))
        known = {node.id: node for node in self.tree.past[since].values() if not node.deleted}
        told = self._changes(since)
        for item in told:
            if item["status"] == "DELETED":
                # Only of what was there already, though it may have been gone by then.
                assert since > 0
                assert item["id"] in self.tree.past[since]
                known.pop(item["id"], None)
            else:
                known[item["id"]] = node_of(item)
        assert known == self.tree.live
        assert {node_of(item).id: node_of(item) for item in self._changes(None)} == self.tree.nodes

    @invariant()
    def the_database_is_sound(self) -> None:
        check(self.psql)

    def _request(self, data: st.DataObject) -> CommitRequest:
        changes: list[ItemChange] = []
        for place in range(data.draw(st.integers(1, 4))):
            changes.append(self._change(data, -1 - place))
        device = data.draw(st.sampled_from(self.devices))
        return self.person.request(*changes, device_id=device)

    def _change(self, data: st.DataObject, temp_id: int) -> ItemChange:
        draw = data.draw
        known = list(self.tree.nodes.values())
        parents: list[int | None] = [None, *range(temp_id + 1, 0), *(node.id for node in known)]
        parent = draw(st.sampled_from(parents))
        if not known or draw(st.integers(0, 2)) == 0:
            is_folder = draw(st.booleans())
            return ItemChange(
                ItemStatus.NEW, 1, NOON, temp_id=temp_id, parent_id=parent, name=draw(names),
                is_folder=is_folder, size=0 if is_folder else draw(sizes),
            )  # fmt: skip
        node = draw(st.sampled_from(known))
        status = draw(st.sampled_from(list(ItemStatus)))
        return ItemChange(
            status,
            node.version + (1 if not draw(rarely) else draw(st.integers(0, 3))),
            NOON,
            id=node.id,
            parent_id=parent if draw(st.booleans()) else node.parent,
            name=draw(st.none() | names),
            size=draw(st.none() | sizes),
            is_folder=(not node.is_folder) if draw(rarely) else None,
            restores=node.deleted and draw(st.booleans()),
        )

    def _commit(self, requests: list[CommitRequest]) -> None:
        for request, result in zip(requests, self._send(requests), strict=True):
            new_ids = [
                outcome.item.id if outcome.committed and outcome.item is not None else None
                for outcome in result.outcomes[: len(request.changes)]
            ]
            touched = self.tree.commit(request.changes, new_ids)
            asked = len(request.changes)
            assert refusals(result) == self.tree.refused + [None] * len(touched)
            told = [outcome.item.id for outcome in result.outcomes[asked:] if outcome.item]
            assert sorted(told) == sorted(node.id for node in touched)
            assert result.revision == self.tree.revision
            assert result.quota_used == self.tree.used
            self.answered.append((request, result))

    def _send(self, requests: list[CommitRequest]) -> list[CommitResult]:
        commits, principal = self.person.engine.commits, self.person.principal

        async def send() -> list[CommitResult]:
            return await gatherResults(
                [Deferred.fromCoroutine(commits.commit(principal, each)) for each in requests]
            )

        return wait_for(send())

    def _changes(self, since: int | None) -> list[dict[str, Any]]:
        workspace_id = self.person.user.workspace_id
        changes = self.person.engine.changes
        told = wait_for(changes.since(self.person.principal, workspace_id, since, SHAPE))
        assert told.revision == self.tree.revision
        items: list[dict[str, Any]] = orjson.loads(told.items)
        seen: set[int] = set()
        coming = {item["id"] for item in items}
        for item in items:
            assert item["parent_id"] in seen or item["parent_id"] not in coming
            seen.add(item["id"])
        return items


def node_of(item: dict[str, Any]) -> Node:
    return Node(
        id=item["id"],
        name=item["name"],
        parent=item["parent_id"],
        is_folder=item["is_folder"],
        size=item["size"],
        version=item["version"],
        revision=item["revision"],
        deleted=item["status"] == "DELETED",
    )


@ensureDeferred
async def test_a_workspace_is_what_the_model_says(people: People, psql: Psql) -> None:
    await deferToThread(
        run_state_machine_as_test,
        lambda: Workspace(people, psql),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_model_itself_knows_a_cycle() -> None:
    state: State = {
        1: Node(1, "a", None, True, 0, 1, 1),
        2: Node(2, "b", 1, True, 0, 1, 1),
    }
    tree = Tree(QUOTA, state)
    tree.commit((ItemChange(ItemStatus.MOVED, 2, NOON, id=1, parent_id=2),), [None])
    assert [refusal and refusal.value for refusal in tree.refused] == ["cycle"]
