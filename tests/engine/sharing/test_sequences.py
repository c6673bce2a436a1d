"""People share, edit, rename, move, unshare and leave in any order: what holds after each step."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import orjson
import pytest
from attrs import define, field
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.engine import Engine
from stacksync.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
    WorkspaceNotFound,
)
from stacksync.model import ItemShape, Paging, Role
from tests.db.builders import World, new
from tests.db.invariants import check
from tests.db.observation import Psql
from tests.engine.conftest import People, Person
from tests.engine.folders import tree

SHAPE = ItemShape({
    "id": "id", "parent_id": "parent_id", "name": "name", "is_folder": "is_folder",
    "status": "status", "version": "version",
})  # fmt: skip
REFUSED = (Conflict, NotFound, Forbidden, InvalidRequest, QuotaExceeded)
STEPS = 40
WHAT = [
    *("folder", "folder", "file", "file", "rename", "move", "move", "move", "delete"),
    *("share", "share", "share", "accept", "accept", "accept", "accept", "unshare", "leave"),
]


@define
class Replica:
    """A device's copy of a workspace, brought up to date by changes now and then."""

    items: dict[int, dict[str, Any]] = field(factory=dict)
    cursor: int = 0

    async def update(self, person: Person, workspace_id: UUID) -> None:
        changes = await person.engine.changes.since(
            person.principal, workspace_id, self.cursor, SHAPE
        )
        self.cursor = changes.revision
        for each in orjson.loads(changes.items):
            if each["status"] == "DELETED":
                self.items.pop(each["id"], None)
            else:
                assert each["parent_id"] is None or each["parent_id"] in self.items
                self.items[each["id"]] = each


@define
class Play:
    """Three people, and what each of their devices has seen."""

    engine: Engine
    people: list[Person]
    dice: random.Random
    replicas: dict[tuple[int, UUID], Replica] = field(factory=dict)

    async def entries(self, person: Person, folder_id: int | None = None) -> list[dict[str, Any]]:
        """All that somebody sees, folders before what is in them."""
        page = await self.engine.items.contents(
            person.principal, folder_id, Paging(limit=1000), SHAPE
        )
        found = []
        for each in orjson.loads(page.items):
            found.append(each)
            if each["is_folder"]:
                found += await self.entries(person, each["id"])
        return found

    async def step(self, person: Person) -> None:
        """Something that somebody does; it may be refused, by what others do meanwhile, too."""
        try:
            await self._step(person)
        except REFUSED:
            pass

    async def _step(self, person: Person) -> None:
        engine, principal, dice = self.engine, person.principal, self.dice
        seen = await self.entries(person)
        folders = [None, *(each["id"] for each in seen if each["is_folder"])]
        own = dice.choice(seen) if seen else None
        shareable = [each for each in seen if each["is_folder"] and each["parent_id"] is None]
        top = dice.choice(shareable) if shareable else own
        name = f"n{dice.randrange(6)}"
        others = [each for each in self.people if each is not person]
        guest = dice.choice(others).user.account.email
        what = dice.choice(WHAT)
        if what == "folder":
            await engine.items.create_folder(principal, name, dice.choice(folders))
        elif what == "file":
            await self._put(person, name, dice.choice(folders))
        elif what == "accept":
            for proposal in await engine.proposals.waiting(principal):
                await engine.proposals.accept(principal, proposal.id)
        elif own is None or top is None:
            return
        elif what in ("rename", "move"):
            await engine.items.relocate(
                principal, own["id"], is_folder=own["is_folder"], name=name,
                parent_id=None if what == "rename" else dice.choice(folders) or 0,
            )  # fmt: skip
        elif what == "delete":
            await engine.items.delete(principal, own["id"], is_folder=own["is_folder"])
        elif what == "share":
            role = dice.choice([Role.EDITOR, Role.EDITOR, Role.VIEWER])
            await engine.proposals.propose(principal, top["id"], [guest], role=role)
        elif what == "unshare":
            await engine.members.unshare(principal, top["id"], [guest])
        else:
            await engine.members.leave(principal, top["id"])

    async def _put(self, person: Person, name: str, folder_id: int | None) -> None:
        workspace_id = person.user.workspace_id
        if folder_id is not None:
            held = await self.engine.items._access.item(person.principal, folder_id)
            workspace_id = held.workspace.id
        request = person.request(new(name, folder_id), workspace_id=workspace_id)
        await self.engine.commits.commit(person.principal, request)

    async def synchronise(self, person: Person) -> None:
        """A device of somebody's hears what is new in some workspaces."""
        for workspace in await self.engine.workspaces.list(person.principal):
            key = (self.people.index(person), workspace.id)
            if self.dice.random() < 0.5:
                try:
                    await self.replicas.setdefault(key, Replica()).update(person, workspace.id)
                except WorkspaceNotFound:
                    # Somebody has ended it just now.
                    continue

    async def compare(self) -> None:
        """All replicas are what a device that begins now is told, and members see the same."""
        trees: dict[int, Any] = {}
        for number, person in enumerate(self.people):
            for workspace in await self.engine.workspaces.list(person.principal):
                replica = self.replicas.setdefault((number, workspace.id), Replica())
                await replica.update(person, workspace.id)
                fresh = Replica()
                await fresh.update(person, workspace.id)
                assert replica.items == fresh.items
                if workspace.root_item_id is not None:
                    seen = await tree(person, workspace.root_item_id)
                    assert trees.setdefault(workspace.root_item_id, seen) == seen
                    roots = [i for i in fresh.items.values() if i["parent_id"] is None]
                    assert [each["id"] for each in roots] == [workspace.root_item_id]
            mounted = [
                each.root_item_id
                for each in await self.engine.workspaces.list(person.principal)
                if each.root_item_id is not None
            ]
            ids = [each["id"] for each in await self.entries(person)]
            assert len(ids) == len(set(ids))
            assert set(mounted) <= set(ids)


@ensureDeferred
@pytest.mark.parametrize("seed", range(6))
async def test_one_after_the_other(engine: Engine, people: People, psql: Psql, seed: int) -> None:
    play = Play(engine, [await people.person(500) for _ in range(3)], random.Random(seed))
    for number in range(STEPS):
        await play.step(play.dice.choice(play.people))
        await play.synchronise(play.dice.choice(play.people))
        if number % 5 == 4:
            check(psql)
    await play.compare()


@ensureDeferred
@pytest.mark.parametrize("seed", range(100, 104))
async def test_at_the_same_time(engine: Engine, people: People, world: World, seed: int) -> None:
    play = Play(engine, [await people.person(500) for _ in range(3)], random.Random(seed))

    async def busy(person: Person) -> None:
        for _ in range(STEPS // 2):
            await play.step(person)
            await play.synchronise(person)

    await gatherResults(
        [Deferred.fromCoroutine(busy(person)) for person in play.people], consumeErrors=True
    )
    await play.compare()
