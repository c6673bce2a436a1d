"""However many strangers sign in, the database is there for others."""

from __future__ import annotations

import pytest
from attrs import define, field
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred

from stacksync.auth.lookups import AT_ONCE, WAITING_MAX, Lookups
from stacksync.auth.turns import Lane, Turn
from stacksync.errors import TooManyRequests, Unavailable

KNOWN = Turn(Lane.KNOWN, "anna")


@define
class Asked:
    """A database that answers when the test says so."""

    lookups: Lookups = field(factory=Lookups)
    names: list[str] = field(factory=list)
    answers: dict[str, Deferred[str]] = field(factory=dict)

    def ask(self, name: str, turn: Turn) -> Deferred[str]:
        async def look() -> str:
            self.names.append(name)
            self.answers[name] = Deferred()
            return await self.answers[name]

        return Deferred.fromCoroutine(self.lookups.run(turn, look))

    def strangers(self, count: int, network: str) -> list[Deferred[str]]:
        turn = Turn(Lane.STRANGER, network)
        return [self.ask(f"{network} {number}", turn) for number in range(count)]


@pytest.fixture
def asked() -> Asked:
    return Asked()


@ensureDeferred
async def test_who_is_known_does_not_wait_behind_strangers(asked: Asked) -> None:
    asked.strangers(100, "many")

    known = asked.ask("anna", KNOWN)

    assert asked.names == [*(f"many {number}" for number in range(AT_ONCE)), "anna"]
    asked.answers["anna"].callback("her")
    assert await known == "her"


@ensureDeferred
async def test_networks_take_turns(asked: Asked) -> None:
    (first, second, *_) = asked.strangers(10, "many")
    (other,) = asked.strangers(1, "single")

    asked.answers["many 0"].callback("nobody")
    asked.answers["many 1"].errback(Unavailable("database", "away"))

    assert await first == "nobody"
    with pytest.raises(Unavailable):
        await second
    assert asked.names[AT_ONCE:] == ["many 2", "single 0"]
    asked.answers["single 0"].callback("him")
    assert await other == "him"


@ensureDeferred
async def test_of_too_many_those_go_of_whom_there_are_most(asked: Asked) -> None:
    many = asked.strangers(AT_ONCE + WAITING_MAX, "many")

    (other,) = asked.strangers(1, "single")

    with pytest.raises(TooManyRequests):
        await many[-1]
    assert not other.called
    assert not many[-2].called
