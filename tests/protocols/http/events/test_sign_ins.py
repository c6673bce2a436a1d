"""An event stream ends with the sign-in that has opened it, and no other does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

from attrs import define, field
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from stacksync.errors import Unavailable
from stacksync.events import SignInsChanged
from stacksync.model import Principal, SignIn
from stacksync.protocols.http.events.sign_ins import RETRY, StreamSignIns
from tests.protocols.http.client import Patience, eventually
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.engines import ANNA, MadeUpEngine, Noun, returning
from tests.protocols.http.streams import HOME, announce, engine_with, opened

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@define(eq=False)
class OpenStream:
    """A stream, as far as it can be cut."""

    sign_ins: StreamSignIns
    account_id: UUID = ANNA
    is_cut: bool = False

    def cut(self) -> None:
        assert not self.is_cut
        self.is_cut = True
        self.sign_ins.drop(self)  # type: ignore[arg-type]


@define
class Grants:
    """Which sign-ins hold, as the engine says it, however slowly."""

    clock: Clock = field(factory=Clock)
    ended: set[UUID] = field(factory=set)
    asked: int = 0
    problem: Exception | None = None
    held_back: Deferred[None] | None = None
    sign_ins: StreamSignIns = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.sign_ins = StreamSignIns(self.clock, self._holds, lambda: NOW)

    async def _holds(self, principal: Principal) -> bool:
        self.asked += 1
        if self.problem is not None:
            raise self.problem
        told = principal.grant_id not in self.ended
        if self.held_back is not None:
            await self.held_back
        return told

    def stream(self, grant_id: UUID, lasts: float | None = None) -> OpenStream:
        expires_at = None if lasts is None else NOW + timedelta(seconds=lasts)
        principal = Principal(ANNA, SignIn.TOKEN, grant_id=grant_id, expires_at=expires_at)
        made = OpenStream(self.sign_ins)
        self.sign_ins.add(made, principal)  # type: ignore[arg-type]
        return made


ONE, OTHER = uuid4(), uuid4()


def test_those_of_the_ended_sign_in_are_cut_and_each_sign_in_is_asked_for_once() -> None:
    grants = Grants()
    cut, cut_too, kept = grants.stream(ONE), grants.stream(ONE), grants.stream(OTHER)
    grants.ended.add(ONE)

    grants.sign_ins.changed(uuid4())
    assert grants.asked == 0
    grants.sign_ins.changed(ANNA)

    assert [each.is_cut for each in (cut, cut_too, kept)] == [True, True, False]
    assert grants.asked == 2


def test_a_change_during_a_look_is_looked_at_again() -> None:
    grants = Grants()
    stream = grants.stream(ONE)
    waiting: Deferred[None] = Deferred()
    grants.held_back = waiting
    grants.sign_ins.changed(ANNA)
    grants.ended.add(ONE)
    grants.sign_ins.changed(ANNA)

    grants.held_back = None
    waiting.callback(None)

    assert stream.is_cut


def test_while_nobody_can_say_streams_stay_and_one_asks_again() -> None:
    grants = Grants()
    stream = grants.stream(ONE)
    grants.ended.add(ONE)
    grants.problem = Unavailable("database", "away")
    grants.sign_ins.changed(ANNA)
    was_cut = stream.is_cut

    grants.problem = None
    grants.clock.advance(RETRY)

    assert (was_cut, stream.is_cut) == (False, True)
    assert grants.clock.getDelayedCalls() == []


def test_a_stream_ends_when_the_time_of_its_sign_in_is_over() -> None:
    grants = Grants()
    short, long, closed = grants.stream(ONE, 5.0), grants.stream(ONE, 10.0), grants.stream(ONE, 7.0)
    grants.sign_ins.drop(closed)  # type: ignore[arg-type]

    grants.clock.advance(5.1)
    assert (short.is_cut, long.is_cut) == (True, False)
    grants.clock.advance(5.0)

    assert (long.is_cut, closed.is_cut) == (True, False)
    assert grants.clock.getDelayedCalls() == []


@ensureDeferred
async def test_a_stream_says_why_it_ends(start_site: StartSite) -> None:
    engine = engine_with(HOME)
    site, client = await start_site(engine)
    stream = await opened(client)
    engine.sign_ins = Noun(holds=returning(False))

    await announce(engine, [SignInsChanged(ANNA)])

    await stream.until(b": what you have signed in with holds no more\n\n")
    await eventually(lambda: len(site.streams) == 0)


@ensureDeferred
async def test_a_stream_whose_sign_in_ends_before_hello_is_refused(start_site: StartSite) -> None:
    patience, reads = Patience(), count()

    async def slowly(*_: object) -> tuple[object, ...]:
        if next(reads) == 0:
            await patience.wait()
        return (HOME,)

    engine = MadeUpEngine(workspaces=Noun(list=slowly), sign_ins=Noun(holds=returning(False)))
    site, client = await start_site(engine)
    stream = await client.events()
    await eventually(lambda: bool(patience.waiting))

    await announce(engine, [SignInsChanged(ANNA)])
    patience.go_on()

    assert b" 401 " in await stream.until(b"\r\n")
    await eventually(lambda: len(site.streams) == 0)


@ensureDeferred
async def test_a_stream_whose_sign_in_has_ended_before_it_was_there_is_refused(
    start_site: StartSite,
) -> None:
    engine = MadeUpEngine(
        workspaces=Noun(list=returning((HOME,))), sign_ins=Noun(holds=returning(False))
    )
    site, client = await start_site(engine)

    assert (await client.get("/api/events")).code == 401

    await eventually(lambda: len(site.streams) == 0)
