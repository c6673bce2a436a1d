"""Several requests share a transaction, and transactions do not get in each other's way."""

from __future__ import annotations

from random import Random
from uuid import uuid4

from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from stacksync.db.commits import CommitTable, ReadyRequest, RequestRefused
from stacksync.db.database import Transaction
from stacksync.model import CommitResult, Refusal
from tests.db.builders import World, change, new, number, ready_request, refusals
from tests.db.conftest import StartDatabase
from tests.db.observation import CapturedLog


async def together(table: CommitTable, *groups: list[ReadyRequest]) -> list[CommitResult]:
    """The results of groups that are committed at the same time."""
    running = [Deferred.fromCoroutine(table.commit(group)) for group in groups]
    results = []
    for answers in await gatherResults(running):
        for answer in answers:
            assert isinstance(answer, CommitResult)
            results.append(answer)
    return results


@ensureDeferred
async def test_requests_of_one_call_are_answered_in_their_order_each_after_the_last(
    world: World,
) -> None:
    anna, berta = await world.user(quota=25), await world.user()
    group = [
        ready_request(anna, new("a")),
        ready_request(berta, new("a")),
        ready_request(anna, new("b")),
        ready_request(anna, new("a", size=5), new("c")),
        ready_request(berta, new("b")),
    ]
    results = await together(world.commits, group)
    assert [result.request_id for result in results] == [r.request.request_id for r in group]
    assert [result.revision for result in results] == [1, 1, 2, 2, 2]
    assert [result.quota_used for result in results] == [10, 10, 20, 20, 20]
    assert refusals(results[3]) == [Refusal.NAME_TAKEN, Refusal.QUOTA]


@ensureDeferred
async def test_workspaces_of_one_owner_share_his_quota_in_one_call_as_well(world: World) -> None:
    anna = await world.user(quota=25)
    other = await world.workspace(anna)
    results = await together(
        world.commits,
        [
            ready_request(anna, new("a", size=20)),
            ready_request(anna, new("b", size=6), new("c", size=5), workspace_id=other),
        ],
    )
    assert refusals(results[1]) == [Refusal.QUOTA, None]
    assert await world.quota_used(anna) == 25


@ensureDeferred
async def test_a_request_refused_as_a_whole_harms_no_other(world: World) -> None:
    anna, berta = await world.user(), await world.user()
    answers = await world.commits.commit(
        [
            ready_request(anna, new("a")),
            ready_request(anna, new("intruder"), workspace_id=berta.workspace_id),
            ready_request(anna, new("b"), device_id=uuid4()),
            ready_request(anna, new("c"), workspace_id=uuid4()),
            ready_request(berta, new("a")),
        ]
    )
    assert answers[1:4] == [
        RequestRefused("workspace"),
        RequestRefused("device"),
        RequestRefused("workspace"),
    ]
    for answer in (answers[0], answers[4]):
        assert isinstance(answer, CommitResult)
        assert answer.revision == 1


@ensureDeferred
async def test_calls_that_name_workspaces_in_opposite_order_do_not_block_each_other(
    world: World,
    start_database: StartDatabase,
    module_database_dsn: str,
    logged: CapturedLog,
) -> None:
    # Who would block each other do so until the statement is given up.
    mark = "&" if "?" in module_database_dsn else "?"
    url = f"{module_database_dsn}{mark}options=-c%20deadlock_timeout%3D1h"
    table = CommitTable(start_database(url, pool_size=4))
    users = [await world.user() for _ in range(3)]
    places = [(user, user.workspace_id) for user in users]
    places += [(user, await world.workspace(user)) for user in users]
    random = Random(7)

    def group() -> list[ReadyRequest]:
        random.shuffle(places)
        return [
            ready_request(user, new(f"file {number()}"), workspace_id=workspace_id)
            for user, workspace_id in places[:4]
        ]

    for _ in range(15):
        results = await together(table, *(group() for _ in range(4)))
        assert all(refusals(result) == [None] for result in results)
    assert not logged.errors


@ensureDeferred
async def test_of_many_who_want_the_next_version_one_gets_it_each_time(
    world: World, start_database: StartDatabase, module_database_dsn: str
) -> None:
    table = CommitTable(start_database(module_database_dsn, pool_size=4))
    anna = await world.user()
    devices = [await world.device(anna.account) for _ in range(4)]
    item = await world.item(anna, new("contended"))
    for _ in range(20):
        results = await together(
            table,
            *([ready_request(anna, change(item), device_id=device)] for device in devices),
        )
        (winner,) = [result for result in results if refusals(result) == [None]]
        won = winner.outcomes[0].item
        assert won is not None
        assert won.device_id == winner.device_id
        for loser in results:
            if loser is not winner:
                assert refusals(loser) == [Refusal.STALE]
                assert loser.outcomes[0].item == won
        item = evolve(won)


@ensureDeferred
async def test_the_quota_holds_against_many_at_once(
    world: World, start_database: StartDatabase, module_database_dsn: str
) -> None:
    table = CommitTable(start_database(module_database_dsn, pool_size=4))
    anna = await world.user(quota=100)
    workspaces = [anna.workspace_id, *[await world.workspace(anna) for _ in range(3)]]
    results = await together(
        table,
        *(
            [ready_request(anna, new(f"file {n}", size=7), workspace_id=workspaces[n % 4])]
            for n in range(20)
        ),
    )
    taken = sum(refusals(result) == [None] for result in results)
    assert taken == 100 // 7
    assert await world.quota_used(anna) == taken * 7


@ensureDeferred
async def test_what_somebody_else_holds_is_left_and_the_rest_of_the_call_committed(
    world: World,
) -> None:
    anna, berta, carla = await world.user(), await world.user(), await world.user()
    group = [ready_request(user, new("a")) for user in (anna, berta, carla)]
    stranger = ready_request(anna, new("b"), workspace_id=uuid4())

    async def look(transaction: Transaction) -> list[CommitResult | RequestRefused | None]:
        for lock in LOCKS.values():
            await transaction.query(lock, [anna.account.id, berta.workspace_id])
        return await world.commits.commit_unheld([*group, stranger])

    held = await world.database.transaction("hold", look)
    assert held[:2] == [None, None]
    assert isinstance(held[2], CommitResult)
    # Who asks patiently will be told that it does not exist.
    assert held[3] is None

    freed = await world.commits.commit_unheld(group)
    assert [answer.revision for answer in freed if isinstance(answer, CommitResult)] == [1, 1, 1]


LOCKS = {
    "an owner's account": "SELECT FROM account WHERE id = %s AND %s IS NOT NULL FOR UPDATE",
    "a workspace": "SELECT FROM workspace WHERE %s IS NOT NULL AND id = %s FOR UPDATE",
}
