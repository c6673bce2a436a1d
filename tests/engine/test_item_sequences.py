"""Whatever somebody does to single items, one after the other or at once, the tree stays sound.

Random sequences; what may never be is in :mod:`tests.db.invariants`: a quota
use that is not the sum of the live sizes, two live items of one name, a live
item whose parent is not.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import orjson
from attrs import frozen
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThread

from stacksync.errors import Conflict, NotFound, QuotaExceeded
from stacksync.model import Item, ItemShape, ItemStatus, Order, Paging
from tests.db.builders import new
from tests.db.invariants import check
from tests.db.observation import Psql
from tests.engine.conftest import People
from tests.engine.test_tree import wait_for

SHAPE = ItemShape({"id": "id"})
QUOTA = 60
EXAMPLES, STEPS = 20, 25

names = st.sampled_from(["a", "b", "c"])
# Any number: what there is to choose from depends on who was faster, and what is
# drawn must not.
choices = st.integers(0, 10_000)


@frozen
class Wish:
    """One thing to do, whatever there is to do it with."""

    kind: str
    which: int
    where: int
    name: str
    is_renamed: bool
    size: int


kinds = st.sampled_from(["folder", "file", "place", "place", "delete", "restore"])
wishes = st.builds(
    Wish,
    kinds,
    which=choices,
    where=choices,
    name=names,
    is_renamed=st.booleans(),
    size=st.integers(0, 30),
)


class Desk(RuleBasedStateMachine):
    """Somebody who works on the tree by hand."""

    def __init__(self, people: People, psql: Psql) -> None:
        super().__init__()
        self.psql = psql
        self.person = wait_for(people.person(QUOTA))
        self.engine, self.me = self.person.engine, self.person.principal
        self.items: dict[int, bool] = {}
        """All that there ever was, and whether it is a folder."""

    @rule(wish=wishes)
    def one(self, wish: Wish) -> None:
        self._do(self._something(wish))

    @rule(wish=wishes, other=wishes)
    def two_at_once(self, wish: Wish, other: Wish) -> None:
        self._do(self._something(wish), self._something(other))

    @rule(which=choices)
    def away_and_back(self, which: int) -> None:
        folders = [identity for identity, is_folder in self.items.items() if is_folder]
        if not folders:
            return
        identity = chosen(folders, which)
        before = self._live()
        (gone,) = self._do(self.engine.items.delete(self.me, identity, is_folder=True))
        if gone is None:
            return
        (back,) = self._do(self._restore(identity))
        assert back is not None
        assert self._live() == before

    @invariant()
    def the_tree_is_sound(self) -> None:
        check(self.psql)

    @invariant()
    def all_that_is_deleted_can_be_found_in_the_trash(self) -> None:
        rows = self.psql.rows(
            "SELECT id, parent_id, deleted_with FROM item"
            " WHERE workspace_id = %s AND status = 'DELETED'",
            str(self.person.user.workspace_id),
        )
        shown = {identity for identity, _, deleted_with in rows if deleted_with is None}
        page = wait_for(self.engine.trash.list(self.me, Paging(1000, order=Order.SIZE), SHAPE))
        assert {item["id"] for item in orjson.loads(page.items)} == shown
        assert {deleted_with for _, _, deleted_with in rows if deleted_with} <= shown

    def _something(self, wish: Wish) -> Coroutine[Any, Any, Item]:
        items, me = self.engine.items, self.me
        known = list(self.items)
        parent = chosen([0, *known], wish.where)
        if not known or wish.kind == "folder":
            return items.create_folder(me, wish.name, parent)
        if wish.kind == "file":
            change = new(wish.name, parent or None, size=wish.size)
            workspace_id = self.person.user.workspace_id
            return items._commits.create(me, workspace_id, change, request_id=None)
        identity = chosen(known, wish.which)
        is_folder = self.items[identity]
        name = wish.name if wish.is_renamed else None
        if wish.kind == "place":
            return items.relocate(me, identity, is_folder=is_folder, name=name, parent_id=parent)
        if wish.kind == "delete":
            return items.delete(me, identity, is_folder=is_folder)
        return self._restore(identity, name, 0 if wish.where % 2 else None)

    def _restore(
        self, identity: int, name: str | None = None, parent_id: int | None = None
    ) -> Coroutine[Any, Any, Item]:
        return self.engine.trash.restore(
            self.me, identity, is_folder=self.items[identity], name=name, parent_id=parent_id
        )

    def _do(self, *works: Coroutine[Any, Any, Item]) -> list[Item | None]:
        async def attempt(work: Coroutine[Any, Any, Item]) -> Item | None:
            try:
                return await work
            except (Conflict, NotFound, QuotaExceeded):
                return None

        async def together() -> list[Item | None]:
            return await gatherResults([Deferred.fromCoroutine(attempt(work)) for work in works])

        results = wait_for(together())
        self.items.update((item.id, item.is_folder) for item in results if item is not None)
        return results

    def _live(self) -> list[tuple[Any, ...]]:
        """Who is where under which name."""
        return self.psql.rows(
            "SELECT id, parent_id, name, size FROM item"
            " WHERE workspace_id = %s AND status <> %s ORDER BY id",
            str(self.person.user.workspace_id),
            ItemStatus.DELETED.value,
        )


def chosen(from_these: list[int], choice: int) -> int:
    return from_these[choice % len(from_these)]


@ensureDeferred
async def test_the_tree_stays_sound(people: People, psql: Psql) -> None:
    await deferToThread(
        run_state_machine_as_test,
        lambda: Desk(people, psql),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
