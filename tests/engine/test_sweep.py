"""What an instance committed and could not announce any more is announced by another."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel

from stacksync.db.hints import HintChannel
from stacksync.engine.notifier import Notifier
from stacksync.engine.sweep import GRACE, OVERLAP, Sweep
from stacksync.errors import Unavailable
from stacksync.model import CommitResult
from tests.db.builders import World, change, new
from tests.db.conftest import StartDatabase
from tests.db.observation import CapturedLog, Psql, until
from tests.engine.conftest import Listener, People, Person

INTERVAL = 10.0


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.advance(10**6)
    return clock


@pytest.fixture
def ears() -> Listener:
    return Listener()


@pytest.fixture
def notifier(clock: Clock, world: World, ears: Listener) -> Notifier:
    """Of an instance that has just begun, and knows of nothing."""
    made = Notifier(clock, HintChannel(clock, world.database), 1.0)
    made.subscribe(ears)
    return made


@pytest.fixture
def sweep(clock: Clock, world: World, notifier: Notifier, psql: Psql) -> Iterator[Sweep]:
    psql.rows("UPDATE workspace SET committed_at = NULL")
    made = Sweep(clock, world.workspaces, world.commits, notifier, INTERVAL)
    yield made
    made.stop()


@pytest.fixture
def make_old(psql: Psql) -> Callable[[Person, float], None]:
    """Lets a person's last commit have been some seconds ago."""

    def make(person: Person, seconds: float) -> None:
        psql.rows(
            "UPDATE workspace SET committed_at = now() - %s * interval '1 s' WHERE id = %s",
            seconds,
            person.user.workspace_id,
        )

    return make


def as_told_later(result: CommitResult) -> CommitResult:
    outcomes = tuple(evolve(outcome, change=None) for outcome in result.outcomes)
    return evolve(result, outcomes=outcomes, repeated=True)


MakeOld = Callable[[Person, float], None]


@ensureDeferred
async def test_the_latest_commit_that_nobody_announced_is_announced(
    people: People, sweep: Sweep, make_old: MakeOld, ears: Listener, notifier: Notifier
) -> None:
    anna = await people.person()
    first = await anna.item(new("a"))
    latest = await anna.commit(change(first, size=7), new("b"))
    make_old(anna, GRACE + 1)
    assert await sweep.sweep() == 1
    assert ears.results == [as_told_later(latest)]
    assert notifier.announced(anna.user.workspace_id) == 2
    assert await sweep.sweep() == 0
    assert len(ears.results) == 1


@ensureDeferred
async def test_what_was_announced_by_whomever_is_left_alone(
    people: People, sweep: Sweep, make_old: MakeOld, ears: Listener, notifier: Notifier
) -> None:
    anna = await people.person()
    await anna.commit(new("a"))
    make_old(anna, GRACE + 1)
    notifier.remember(anna.user.workspace_id, 1)
    assert await sweep.sweep() == 0
    assert ears.results == []


@ensureDeferred
async def test_all_commits_after_the_announced_one_are_announced_in_order(
    people: People, sweep: Sweep, make_old: MakeOld, ears: Listener, notifier: Notifier
) -> None:
    anna = await people.person()
    results = [await anna.commit(new(f"file {number}")) for number in range(4)]
    make_old(anna, GRACE + 1)
    notifier.remember(anna.user.workspace_id, 2)
    assert await sweep.sweep() == 1
    assert [result.revision for result in ears.results] == [3, 4]
    assert [result.request_id for result in ears.results] == [
        result.request_id for result in results[2:]
    ]


@ensureDeferred
async def test_a_commits_own_instance_has_a_moment_and_the_past_is_past(
    people: People, sweep: Sweep, make_old: MakeOld
) -> None:
    young, old = await people.person(), await people.person()
    for person in (young, old):
        await person.commit(new("a"))
    make_old(young, GRACE - 1)
    make_old(old, OVERLAP + 5)
    assert await sweep.sweep() == 0


@ensureDeferred
async def test_a_sweep_that_failed_is_made_up_for_by_the_next(
    people: People,
    sweep: Sweep,
    make_old: MakeOld,
    ears: Listener,
    notifier: Notifier,
    clock: Clock,
) -> None:
    anna, berta = await people.person(), await people.person()
    for person in (anna, berta):
        await person.commit(new("a"))
        make_old(person, GRACE + 1)
    ears.failure = Unavailable("broker", "away")
    with pytest.raises(Unavailable):
        await sweep.sweep()
    clock.advance(1000)
    make_old(anna, 1000)
    ears.failure = None
    assert await sweep.sweep() == 2
    clock.advance(1)
    make_old(anna, 1000)
    assert await sweep.sweep() == 0


@ensureDeferred
async def test_it_sweeps_at_every_interval_and_when_told_that_hints_are_missing(
    people: People, sweep: Sweep, make_old: MakeOld, ears: Listener, clock: Clock
) -> None:
    anna = await people.person()
    sweep.soon()  # before the start: nothing yet
    sweep.start()
    for count, wake in enumerate((lambda: clock.advance(INTERVAL), sweep.soon), start=1):
        await anna.commit(new(f"file {count}"))
        make_old(anna, GRACE + 1)
        assert len(ears.results) == count - 1
        wake()
        await until(lambda count=count: len(ears.results) == count)  # type: ignore[misc]
    sweep.stop()
    sweep.stop()
    await anna.commit(new("late"))
    make_old(anna, GRACE + 1)
    sweep.soon()
    clock.advance(10 * INTERVAL)
    assert len(ears.results) == 2


@ensureDeferred
async def test_trouble_is_a_line_in_the_log_and_sweeping_goes_on(
    people: People,
    sweep: Sweep,
    make_old: MakeOld,
    ears: Listener,
    clock: Clock,
    logged: CapturedLog,
) -> None:
    anna = await people.person()
    await anna.commit(new("a"))
    make_old(anna, GRACE + 1)
    ears.failure = Unavailable("broker", "away")
    sweep.start()
    clock.advance(INTERVAL)
    await until(lambda: "sweep: broker: away" in logged.lines(LogLevel.debug))
    assert not logged.errors
    ears.failure = ZeroDivisionError("a mistake of ours")
    sweep.soon()
    await until(lambda: len(logged.errors) == 1)
    ears.failure = None
    clock.advance(INTERVAL)
    await until(lambda: ears.results)
    (line,) = [line for line in logged.lines(LogLevel.info) if line.startswith("sweep")]
    assert line == "sweep: announced the latest of 1 workspaces"


@ensureDeferred
async def test_without_a_database_it_tries_again_later(
    start_database: StartDatabase,
    deserted_url: str,
    clock: Clock,
    notifier: Notifier,
    logged: CapturedLog,
) -> None:
    world = World(start_database(deserted_url, wait_timeout=0.1))
    sweep = Sweep(clock, world.workspaces, world.commits, notifier, INTERVAL)
    sweep.start()
    clock.advance(INTERVAL)
    await until(lambda: logged.lines_about("sweep: database"))
    sweep.stop()
    assert not logged.errors
