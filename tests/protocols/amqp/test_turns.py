"""However many requests one sender has, others have their turn."""

from __future__ import annotations

from collections import Counter

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from stacksync.protocols.amqp import turns as module
from stacksync.protocols.amqp.turns import Sender, Turns
from stacksync.protocols.amqp.wire.frames import Delivery
from tests.protocols.amqp.requests import deliver


@define
class Desk:
    """Does requests when the test says so; those of ``quick`` at once."""

    in_all: int
    per_sender: int
    quick: frozenset[str] = frozenset()
    begun: list[tuple[str, int]] = field(factory=list)
    in_hand: list[tuple[Sender, Delivery]] = field(factory=list)
    turns: Turns = field(init=False)
    _added: int = 0

    def __attrs_post_init__(self) -> None:
        self.turns = Turns(self.in_all, self.per_sender, self._begin)

    def add(self, *names: str) -> None:
        for name in names:
            self._added += 1
            delivery = deliver(name.encode())
            delivery.delivery_tag = self._added
            self.turns.add(name, delivery)

    def finish(self, place: int = 0) -> None:
        self.turns.done(*self.in_hand.pop(place))

    @property
    def order(self) -> str:
        return "".join(name for name, _ in self.begun)

    def _begin(self, sender: Sender, delivery: Delivery) -> None:
        self.begun.append((sender.name, delivery.delivery_tag))
        if sender.name in self.quick:
            self.turns.done(sender, delivery)
        else:
            self.in_hand.append((sender, delivery))


def test_what_there_is_room_for_begins_at_once() -> None:
    desk = Desk(in_all=3, per_sender=2)

    desk.add("a", "a", "a", "b", "b")

    assert desk.order == "aab"
    assert (desk.turns.in_work, desk.turns.waiting, desk.turns.waiting_bytes) == (3, 2, 2)


def test_senders_take_turns_however_many_one_has_sent() -> None:
    desk = Desk(in_all=1, per_sender=1)
    desk.add(*"aaaaaa", *"bb", "c")

    for _ in range(8):
        desk.finish()

    assert desk.order == "a" + "bca" + "ba" + "aaa"


def test_one_sender_never_has_more_in_work_than_its_share_though_nobody_else_is_there() -> None:
    desk = Desk(in_all=10, per_sender=3)

    desk.add(*"aaaaaaaa")

    assert desk.turns.in_work == 3
    desk.finish()
    assert desk.turns.in_work == 3


def test_a_sender_of_large_ones_has_few_in_work_and_does_not_hold_up_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "BYTES_IN_WORK", 8)
    monkeypatch.setattr(module, "BYTES_OF_SENDER", 4)
    desk = Desk(in_all=10, per_sender=10)

    desk.add(*["aaa"] * 3, "b", "b", "ccc", "dd")

    assert [name for name, _ in desk.begun] == ["aaa", "b", "b", "ccc"]
    desk.finish(3)
    assert [name for name, _ in desk.begun][4:] == ["dd"]
    desk.finish(0)
    assert [name for name, _ in desk.begun][5:] == ["aaa"]


def test_one_that_is_larger_than_all_may_be_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES_IN_WORK", 2)
    monkeypatch.setattr(module, "BYTES_OF_SENDER", 2)
    desk = Desk(in_all=10, per_sender=10)

    desk.add("a", "bbb", "c")

    assert desk.order == "a"
    desk.finish()
    assert desk.order == "abbb"
    desk.finish()
    assert desk.order == "abbbc"


def test_what_is_over_at_once_makes_room_at_once() -> None:
    desk = Desk(in_all=2, per_sender=1, quick=frozenset("q"))
    desk.add("a", "b", *"qqq", "c")
    assert desk.order == "ab"

    desk.finish()

    assert desk.order.count("q") + desk.order.count("c") >= 1
    desk.finish()
    assert sorted(desk.order) == sorted("abqqqc")
    assert desk.turns.waiting == 0


def test_thousands_that_are_over_at_once_do_not_pile_up() -> None:
    desk = Desk(in_all=1, per_sender=1, quick=frozenset("q"))
    desk.add("a", *"q" * 5000)

    desk.finish()

    assert len(desk.begun) == 5001
    assert desk.turns.in_work == 0


def test_what_is_dropped_is_what_waits_in_the_order_in_which_it_came() -> None:
    desk = Desk(in_all=2, per_sender=1)
    desk.add(*"aabbcca")

    assert [each.delivery_tag for each in desk.turns.drop()] == [2, 4, 5, 6, 7]

    assert (desk.turns.waiting, desk.turns.waiting_bytes) == (0, 0)
    desk.finish()
    desk.finish()
    desk.add("c")
    assert desk.order == "abc"


@given(st.data(), st.integers(1, 4), st.integers(1, 3), st.sets(st.sampled_from("ab")))
def test_whatever_happens_turns_are_fair_and_nothing_is_lost(
    data: st.DataObject, in_all: int, per_sender: int, quick: set[str]
) -> None:
    desk = Desk(in_all, per_sender, frozenset(quick))
    came: list[tuple[str, int]] = []
    for _ in range(data.draw(st.integers(1, 40))):
        if desk.in_hand and data.draw(st.booleans()):
            desk.finish(data.draw(st.integers(0, len(desk.in_hand) - 1)))
        else:
            name = data.draw(st.sampled_from("abcd"))
            desk.add(name)
            came.append((name, len(came) + 1))
        in_work = Counter(sender.name for sender, _ in desk.in_hand)
        assert desk.turns.in_work == in_work.total() <= in_all
        assert all(count <= per_sender for count in in_work.values())
        assert desk.turns.waiting == len(came) - len(desk.begun)
        waiting = {name for name, tag in came} if desk.turns.waiting else set()
        waiting = {name for name, tag in set(came) - set(desk.begun)} & waiting
        # Nobody waits where there is room.
        assert in_work.total() == in_all or all(in_work[name] == per_sender for name in waiting)
    while desk.in_hand:
        desk.finish()
    assert sorted(desk.begun) == sorted(came)
    for sender in "abcd":
        tags = [tag for name, tag in desk.begun if name == sender]
        assert tags == sorted(tags)
    assert not desk.turns.drop()


@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=60),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_between_two_turns_of_one_sender_everybody_else_who_waits_has_one(
    names: list[str], in_all: int, per_sender: int
) -> None:
    desk = Desk(in_all, per_sender)
    desk.add(*names)
    at_once = len(desk.begun)
    while desk.in_hand:
        desk.finish()

    order = [name for name, _ in desk.begun]
    left = Counter(names) - Counter(order[:at_once])
    overtaken: dict[str, Counter[str]] = {name: Counter() for name in left}
    for name in order[at_once:]:
        for other, counts in overtaken.items():
            if other != name and left[other]:
                counts[name] += 1
                # One who has as much in work as it may waits for itself.
                assert counts[name] <= 1 + per_sender
        overtaken[name].clear()
        left[name] -= 1
