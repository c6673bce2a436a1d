"""Tokens are renewed ahead of time; who has a good one is not disturbed by what goes wrong."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from stacksync.errors import Unavailable
from stacksync.storage.keystone.catalogue import Catalogue
from stacksync.storage.keystone.failures import KeystoneRefuses
from stacksync.storage.keystone.keeper import PAUSE, TokenKeeper
from stacksync.storage.keystone.token import Token

AWAY = Unavailable("keystone", "away")


class Maker:
    """Makes tokens that are due for renewal after 80 s and spent after 100 s, when told to."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.asked: list[Deferred[Token]] = []
        self.keeper = TokenKeeper(self.clock, self.make)

    async def make(self) -> Token:
        self.asked.append(Deferred())
        return await self.asked[-1]

    def answer(self) -> str:
        """Let the last one that was asked for be made."""
        token = evolve(
            TOKEN,
            value=f"token-{len(self.asked)}",
            renew_at=self.clock.seconds() + 80,
            spent_at=self.clock.seconds() + 100,
        )
        self.asked[-1].callback(token)
        return token.value

    def fail(self, error: Exception) -> None:
        self.asked[-1].errback(error)

    def begin(self) -> Deferred[Token]:
        return Deferred.fromCoroutine(self.keeper.current())

    def now(self) -> str:
        """The token that is to be had at once."""
        return outcome(self.begin())


def outcome(asked: Deferred[Token]) -> str:
    """The token that has come of asking, or raise what has come instead."""
    results: list[Any] = []
    asked.addBoth(results.append)
    assert results, "still waiting"
    if isinstance(results[0], Failure):
        results[0].raiseException()
    return results[0].value


TOKEN = Token(
    value="",
    user_id="u",
    user_name="stacksync",
    user_domain_id="default",
    project_id="p",
    project_name="stacksync",
    roles=frozenset(),
    catalogue=Catalogue(()),
    renew_at=0.0,
    spent_at=0.0,
)


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def first(maker: Maker) -> str:
    """A token that was made at second 0."""
    maker.begin()
    return maker.answer()


def test_a_token_that_is_due_serves_until_the_next_one_is_made(maker: Maker, first: str) -> None:
    maker.clock.advance(79)
    assert maker.now() == first
    assert len(maker.asked) == 1
    maker.clock.advance(2)
    assert [maker.now(), maker.now()] == [first, first]
    assert len(maker.asked) == 2
    assert maker.now() == first
    second = maker.answer()
    assert maker.now() == second != first


def test_a_spent_token_serves_nobody(maker: Maker, first: str) -> None:
    maker.clock.advance(100)
    waiting = maker.begin()
    assert not waiting.called
    second = maker.answer()
    assert outcome(waiting) == second


def test_a_renewal_that_fails_is_tried_again_later_while_the_token_is_good(
    maker: Maker, first: str
) -> None:
    maker.clock.advance(81)
    assert maker.now() == first
    maker.fail(AWAY)
    assert maker.now() == first
    assert len(maker.asked) == 2
    maker.clock.advance(PAUSE)
    assert maker.now() == first
    assert len(maker.asked) == 3


def test_who_waits_is_told_what_went_wrong_and_the_next_one_tries_anew(maker: Maker) -> None:
    waiting = [maker.begin(), maker.begin()]
    maker.fail(AWAY)
    for each in waiting:
        with pytest.raises(Unavailable, match="away"):
            outcome(each)
    again = maker.begin()
    second = maker.answer()
    assert outcome(again) == second


def test_refused_credentials_rest_for_a_while(maker: Maker) -> None:
    maker.begin().addErrback(lambda failure: None)
    maker.fail(KeystoneRefuses("wrong password"))
    with pytest.raises(KeystoneRefuses, match="wrong password"):
        maker.now()
    assert len(maker.asked) == 1
    maker.clock.advance(PAUSE)
    waiting = maker.begin()
    assert maker.answer() == outcome(waiting)


def test_no_repr_shows_a_token(maker: Maker, first: str) -> None:
    token = evolve(TOKEN, value="very-secret")
    assert "very-secret" not in repr(token)


def test_who_comes_late_with_an_old_token_does_not_end_the_new_one() -> None:
    maker = Maker()
    first = maker.begin()
    old = maker.answer()
    assert outcome(first) == old
    maker.keeper.reject(old)
    second = maker.begin()
    new = maker.answer()
    assert outcome(second) == new

    maker.keeper.reject(old)

    assert maker.now() == new
    assert len(maker.asked) == 2
