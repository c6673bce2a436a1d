"""Whatever was uploaded, overwritten, deleted, restored: what is kept is whole, the rest goes."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred

from stacksync.model import Item
from tests.engine.conftest import Person
from tests.engine.content.builders import noise
from tests.engine.estate import DAY, Estate, estate

__all__ = ["estate"]

EXAMPLES = 25
FILES = 4

CONTENTS = [b"", b"x", b"short", noise(50_000, 1), noise(300_000, 2), noise(300_000, 2) + b"!"]
"""Few, so that versions and files share chunks, and chunks that are garbage are needed again."""

files = st.integers(0, FILES - 1)
contents = st.integers(0, len(CONTENTS) - 1)
steps = st.one_of(
    st.tuples(st.just("write"), files, contents),
    st.tuples(st.just("delete"), files),
    st.tuples(st.just("restore"), files),
    st.tuples(st.just("collect"), st.integers(0, 3)),
    st.tuples(st.just("collect late"), st.integers(0, 3)),
)


@define
class History:
    """Some files, and what each of their versions was."""

    estate: Estate
    person: Person
    items: dict[int, Item] = field(factory=dict)
    past: dict[int, dict[int, bytes]] = field(factory=dict)
    deleted: set[int] = field(factory=set)

    async def play(self, step: tuple[Any, ...]) -> None:
        kind, number = step[0], step[1]
        if kind == "write":
            await self._write(number, CONTENTS[step[2]])
        elif kind == "delete" and number in self.items and number not in self.deleted:
            self.items[number] = await self.estate.delete(self.person, self.items[number])
            self.deleted.add(number)
            self._note(number, self._newest(number))
        elif kind == "restore" and number in self.deleted:
            self.items[number] = await self.estate.engine.trash.restore(
                self.person.principal,
                self.items[number].id,
                is_folder=False,
                name=None,
                parent_id=None,
            )
            self.deleted.discard(number)
            self._note(number, self._newest(number))
        elif kind == "collect":
            await self._collect(number, late=False)
        elif kind == "collect late":
            await self._collect(number, late=True)

    async def _write(self, number: int, content: bytes) -> None:
        if number in self.deleted:
            return
        if number in self.items:
            item = await self.estate.overwrite(self.person, self.items[number], content)
        else:
            item = await self.estate.upload(self.person, f"file {number}", content)
            self.past[number] = {}
        self.items[number] = item
        self._note(number, content)

    def _note(self, number: int, content: bytes) -> None:
        self.past[number][self.items[number].version] = content

    def _newest(self, number: int) -> bytes:
        return self.past[number][max(self.past[number])]

    async def _collect(self, keep: int, *, late: bool) -> None:
        """Collect two days, or 40, later."""
        self.estate.age(40 * DAY if late else 2 * DAY)
        await self.estate.collect(keep_versions=keep, keep_days=30 if late else 0)
        for number in list(self.items):
            if late and number in self.deleted:
                del self.items[number], self.past[number]
                self.deleted.discard(number)
            elif late:
                self.past[number] = dict(sorted(self.past[number].items())[-1:])
            elif keep:
                self.past[number] = dict(sorted(self.past[number].items())[-keep:])
        await self._agrees()

    async def _agrees(self) -> None:
        needed: set[str] = set()
        for number, item in self.items.items():
            versions = await self.estate.engine.versions.of(self.person.principal, item.id)
            assert {each.version for each in versions} == set(self.past[number])
            for version in versions:
                content = await self.estate.content(self.person, item, version.version)
                assert content == self.past[number][version.version]
                needed.update(version.chunks)
        assert self.estate.chunks(self.person) == needed
        await self.estate.is_sound()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(steps, min_size=3, max_size=14), st.integers(0, 2))
@ensureDeferred
async def test_what_is_kept_can_be_read_and_the_rest_is_gone(
    estate: Estate, played: list[tuple[Any, ...]], keep: int
) -> None:
    estate.psql.rows("DELETE FROM workspace; DELETE FROM item; DELETE FROM item_version")
    estate.psql.rows("UPDATE account SET quota_used = 0")
    history = History(estate, await estate.person())
    for step in [*played, ("collect", keep)]:
        await history.play(step)
