"""A fanout exchange is declared when it is first wanted, and again when it may be gone."""

from __future__ import annotations

import pytest
from attrs import define, field
from pika import spec

from stacksync.errors import Unavailable
from stacksync.protocols.amqp.exchanges import FanoutExchanges
from tests.protocols.amqp.script import Script


@define
class Stage:
    """Exchanges on a connection whose broker says what the test makes it say."""

    script: Script = field(factory=Script)
    ready: list[tuple[str, str | None]] = field(factory=list)
    exchanges: FanoutExchanges = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.script.log_in()
        self.script.heard()
        self.exchanges = FanoutExchanges(self.script.connection, self._ready)

    def _ready(self, exchange: str, problem: Unavailable | None) -> None:
        self.ready.append((exchange, problem.problem if problem is not None else None))

    def asked(self) -> list[str]:
        """What the broker is asked for: names of exchanges, or of other methods."""
        return [
            each.exchange if isinstance(each, spec.Exchange.Declare) else each.NAME
            for each in self.script.methods()
        ]

    def answer(self, *methods: object) -> None:
        self.script.say(*methods, channel=1)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_an_exchange_is_ready_when_the_broker_has_declared_it(stage: Stage) -> None:
    stage.exchanges.want("multi#größe")
    assert stage.asked() == ["Channel.Open"]
    stage.answer(spec.Channel.OpenOk())
    (declare,) = stage.script.methods()
    assert (declare.exchange, declare.type) == ("multi#größe", "fanout")
    assert not any((declare.durable, declare.auto_delete, declare.internal, declare.nowait))
    assert not stage.ready

    stage.answer(spec.Exchange.DeclareOk())

    assert stage.ready == [("multi#größe", None)]
    assert stage.exchanges.declared == {"multi#größe"}


def test_several_are_declared_one_after_the_other_on_one_channel(stage: Stage) -> None:
    for name in ("a", "b", "c"):
        stage.exchanges.want(name)
    stage.answer(spec.Channel.OpenOk(), spec.Exchange.DeclareOk(), spec.Exchange.DeclareOk())

    assert stage.asked() == ["Channel.Open", "a", "b", "c"]
    assert stage.ready == [("a", None), ("b", None)]


def test_one_that_somebody_declared_differently_is_there_all_the_same(stage: Stage) -> None:
    stage.exchanges.want("a")
    stage.exchanges.want("b")
    stage.answer(spec.Channel.OpenOk(), spec.Channel.Close(406, "PRECONDITION_FAILED", 40, 10))
    stage.answer(spec.Channel.OpenOk(), spec.Exchange.DeclareOk())

    assert stage.ready == [("a", None), ("b", None)]
    assert stage.exchanges.declared == {"a", "b"}


def test_one_that_we_may_not_declare_is_not_ready_and_the_next_is(stage: Stage) -> None:
    stage.exchanges.want("a")
    stage.exchanges.want("b")
    stage.answer(spec.Channel.OpenOk(), spec.Channel.Close(403, "ACCESS_REFUSED", 40, 10))
    stage.answer(spec.Channel.OpenOk(), spec.Exchange.DeclareOk())

    assert stage.ready == [("a", "403 ACCESS_REFUSED"), ("b", None)]
    assert stage.exchanges.declared == {"b"}


def test_what_is_forgotten_is_not_declared(stage: Stage) -> None:
    stage.exchanges.want("a")
    stage.answer(spec.Channel.OpenOk(), spec.Exchange.DeclareOk())

    stage.exchanges.forget()

    assert not stage.exchanges.declared


def test_nothing_is_asked_of_a_broker_that_does_not_listen(stage: Stage) -> None:
    stage.exchanges.want("a")
    stage.exchanges.want("b")
    stage.script.say(spec.Connection.Blocked("low on disk"))
    stage.answer(spec.Channel.OpenOk(), spec.Exchange.DeclareOk())
    assert stage.asked() == ["Channel.Open", "a"]
    assert stage.ready == [("a", None)]

    stage.script.say(spec.Connection.Unblocked())
    stage.exchanges.go_on()

    assert stage.asked() == ["b"]


def test_all_that_are_wanted_fail_with_the_connection(stage: Stage) -> None:
    names = [f"multi#{number}" for number in range(500)]
    for name in names:
        stage.exchanges.want(name)

    stage.script.say(spec.Connection.Close(320, "CONNECTION_FORCED", 0, 0))

    assert stage.ready == [(name, "320 CONNECTION_FORCED") for name in names]
