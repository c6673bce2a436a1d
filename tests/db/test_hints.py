"""Instances tell each other by hints, and know when they may have missed some."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import deferLater

from stacksync.config import DatabaseConfig
from stacksync.db.database import Database
from stacksync.db.hints import (
    HINTS_PER_PAYLOAD,
    HintChannel,
    decode,
    decode_accounts,
    encode,
    encode_accounts,
)
from tests.db.builders import World
from tests.db.conftest import StartDatabase
from tests.db.observation import CapturedLog, Psql, until, waiting_for
from tests.servers.postgres import PostgresServer

PAYLOAD_BYTES = 7999
"""PostgreSQL's limit (its manual, NOTIFY): shorter than 8000 bytes."""

LATEST = 2**63 - 1


class Listener:
    """A channel, and what it has heard."""

    def __init__(self, database: Database) -> None:
        self.channel = HintChannel(reactor, database)
        self.heard: list[tuple[UUID, int]] = []
        self.told: set[bool] = set()
        self.accounts: list[UUID] = []
        self.sign_ins: list[UUID] = []
        self.missed = 0
        self.begun = 0
        self.channel.start(
            self._hear, self._miss, self.accounts.append, self.sign_ins.append, self._begin
        )

    def _hear(self, workspace_id: UUID, revision: int, told: bool) -> None:
        self.heard.append((workspace_id, revision))
        self.told.add(told)

    def _miss(self) -> None:
        self.missed += 1

    def _begin(self) -> None:
        self.begun += 1


Listen = Callable[[Database], Listener]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Starts listeners and stops them after the test."""
    started: list[Listener] = []

    def start(database: Database) -> Listener:
        started.append(Listener(database))
        return started[-1]

    yield start
    for listener in started:
        listener.channel.stop()


def test_a_payload_is_never_too_long_for_postgresql_and_nothing_is_lost() -> None:
    for count in (1, HINTS_PER_PAYLOAD, HINTS_PER_PAYLOAD + 1, 1000):
        revisions = {uuid4(): LATEST - number for number in range(count)}
        payloads = list(encode("01234567", False, revisions))
        assert max(map(len, payloads)) <= PAYLOAD_BYTES
        decoded: dict[UUID, int] = {}
        for sender, told, hints in map(decode, payloads):
            assert (sender, told) == ("01234567", False)
            decoded.update(hints)
        assert decoded == revisions


def test_accounts_are_hinted_at_in_payloads_of_their_own_and_none_is_lost() -> None:
    for count in (1, HINTS_PER_PAYLOAD, HINTS_PER_PAYLOAD + 1, 1000):
        accounts = [uuid4() for _ in range(count)]
        payloads = list(encode_accounts("01234567", accounts))
        assert max(map(len, payloads)) <= PAYLOAD_BYTES
        decoded: list[UUID] = []
        for sender, some in map(decode_accounts, payloads):
            assert sender == "01234567"
            decoded.extend(some)
        assert decoded == accounts


def test_who_knows_revisions_alone_passes_a_payload_of_accounts_over() -> None:
    (payload,) = encode_accounts("01234567", [UUID(int=1)])
    with pytest.raises(ValueError, match="accounts"):
        decode(payload)


@ensureDeferred
async def test_others_hear_of_accounts_and_the_sender_does_not(
    database: Database, psql: Psql, listen: Listen, logged: CapturedLog
) -> None:
    one, other = listen(database), listen(database)
    await until(lambda: one.begun and other.begun)
    accounts = [UUID(int=number) for number in range(300)]
    psql.rows("SELECT pg_notify('stacksync_hints', 'x accounts nobody')")
    await one.channel.send_accounts(accounts)
    await until(lambda: len(other.accounts) == 300)
    assert other.accounts == accounts
    assert (one.accounts, other.heard) == ([], [])
    assert not logged.errors


@ensureDeferred
async def test_others_hear_a_hint_and_its_sender_does_not(
    database: Database, listen: Listen
) -> None:
    one, other, third = (listen(database) for _ in range(3))
    await until(lambda: one.begun and other.begun and third.begun)
    revisions = {uuid4(): number for number in range(1, 400)}
    await one.channel.send(revisions, told=True)
    await other.channel.send({UUID(int=1): LATEST}, told=False)
    await until(lambda: len(third.heard) == 400)
    assert dict(third.heard) == {**revisions, UUID(int=1): LATEST}
    await until(lambda: one.heard == [(UUID(int=1), LATEST)])
    await until(lambda: len(other.heard) == 399)
    assert (one.told, other.told, third.told) == ({False}, {True}, {True, False})
    assert [listener.missed for listener in (one, other, third)] == [0, 0, 0]


@ensureDeferred
async def test_who_was_cut_off_listens_again_and_knows_that_hints_may_be_missing(
    database: Database, psql: Psql, listen: Listen, logged: CapturedLog
) -> None:
    listener = listen(database)
    await until(lambda: listener.begun)
    for times in (1, 2):
        psql.kill_sessions()
        await until(lambda times=times: listener.missed == times)  # type: ignore[misc]
    await HintChannel(reactor, database).send({UUID(int=1): 7}, told=True)
    await until(lambda: listener.heard == [(UUID(int=1), 7)])
    assert not logged.errors


@ensureDeferred
async def test_an_outage_of_the_database_is_waited_for(
    own_postgres: PostgresServer,
    start_database: StartDatabase,
    listen: Listen,
    logged: CapturedLog,
) -> None:
    own_postgres.stop()
    database = start_database(own_postgres.dsn())
    early = listen(database)
    own_postgres.start()
    psql = Psql(own_postgres.dsn())
    await until(lambda: early.begun == 1)
    # Never connected before: nothing was lost.
    assert early.missed == 0
    psql.close()
    own_postgres.kill()
    own_postgres.start()
    await until(lambda: early.missed == 1)
    await HintChannel(reactor, database).send({UUID(int=1): 7}, told=True)
    await until(lambda: early.heard == [(UUID(int=1), 7)])
    assert early.begun == 1
    assert not logged.errors


@ensureDeferred
async def test_what_others_send_on_the_channel_does_no_harm(
    database: Database, psql: Psql, listen: Listen, logged: CapturedLog
) -> None:
    listener = listen(database)
    await until(lambda: listener.begun)
    for garbage in (
        "",
        "hello",
        "hello world",
        "x told 1:2:3",
        f"x told {uuid4().hex}:many",
        "x maybe",
        "🙂 :",
    ):
        psql.rows("SELECT pg_notify('stacksync_hints', %s)", garbage)
    await HintChannel(reactor, database).send({UUID(int=1): 7}, told=True)
    await until(lambda: listener.heard)
    assert listener.heard == [(UUID(int=1), 7)]
    assert not logged.errors


@ensureDeferred
async def test_stopping_leaves_nothing_behind_however_far_it_had_come(
    start_database: StartDatabase,
    module_database_dsn: str,
    psql: Psql,
    silent_url: str,
    listen: Listen,
    logged: CapturedLog,
) -> None:
    database = start_database(module_database_dsn, pool_size=1)
    await database.query("wait until connected", "SELECT 1")
    before = waiting_for()

    never_answers = Database(reactor, DatabaseConfig(url=silent_url))
    for source in (never_answers, database):
        for turns in range(12):
            listener = listen(source)
            for _ in range(turns):
                await deferLater(reactor, 0)
            listener.channel.stop()
    listener = listen(database)
    await until(lambda: listener.begun)
    for _ in range(2):
        listener.channel.stop()
    await until(lambda: len(psql.sessions()) == 1)
    await until(lambda: before >= waiting_for())
    assert not logged.errors


@ensureDeferred
async def test_the_end_of_a_sign_in_is_told_by_the_database_to_all_of_them(
    database: Database, listen: Listen, psql: Psql, world: World
) -> None:
    one, other = listen(database), listen(database)
    await until(lambda: one.begun and other.begun)
    account_id = (await world.user()).account.id

    psql.rows("SELECT sign_ins_changed(%s, false, interval '0')", str(account_id))

    await until(lambda: (one.sign_ins, other.sign_ins) == ([account_id], [account_id]))
    assert one.accounts == other.accounts == []
