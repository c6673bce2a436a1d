"""What we do when the broker asks something of us by itself."""

from __future__ import annotations

import pytest
from pika import spec
from twisted.internet.defer import Deferred

from stacksync.errors import Unavailable
from stacksync.protocols.amqp.wire import frames
from stacksync.protocols.amqp.wire.channel import ChannelHandler
from tests.protocols.amqp.conftest import Logged
from tests.protocols.amqp.script import Script


@pytest.fixture
def script() -> Script:
    """A connection that is logged in."""
    made = Script()
    made.log_in()
    made.heard()
    return made


@pytest.mark.parametrize(
    ("offered", "taken"), [(0, 131072), (4096, 4096), (131072, 131072), (2**20, 131072)]
)
def test_the_smaller_of_two_frame_sizes_is_agreed_on(offered: int, taken: int) -> None:
    script = Script()

    script.log_in(frame_max=offered)

    (tuned,) = [each for each in script.methods() if isinstance(each, spec.Connection.TuneOk)]
    assert (tuned.frame_max, tuned.channel_max, tuned.heartbeat) == (taken, 2047, 30)
    assert taken == script.connection.MAX_LENGTH


def test_publishing_is_blocked_until_the_broker_says_otherwise(
    script: Script, logged: Logged
) -> None:
    went_on: list[bool] = []
    script.connection.writable_again = lambda: went_on.append(True)

    script.say(spec.Connection.Blocked("low on memory"))
    assert (script.connection.blocked, went_on) == ("low on memory", [])

    script.say(spec.Connection.Unblocked())
    assert (script.connection.blocked, went_on) == (None, [True])
    assert "publishing is blocked: low on memory" in logged.text


def test_a_channel_that_is_closed_is_let_go_before_its_number_is_used_again(
    script: Script,
) -> None:
    opening = Deferred.fromCoroutine(script.connection.open_channel(ChannelHandler()))
    script.say(spec.Channel.OpenOk(), channel=1)
    assert opening.called
    script.heard()

    def open_another(closed: object) -> None:
        Deferred.fromCoroutine(script.connection.open_channel(ChannelHandler()))

    script.connection.handlers[1].closed = open_another
    script.say(spec.Channel.Close(404, "NOT_FOUND", 60, 40), channel=1)

    assert [type(each) for each in script.methods()] == [spec.Channel.CloseOk, spec.Channel.Open]


def test_who_waits_for_an_answer_is_told_why_the_connection_is_closed(script: Script) -> None:
    waiting = Deferred.fromCoroutine(script.connection.open_channel(ChannelHandler()))
    problems: list[object] = []
    waiting.addErrback(lambda failure: problems.append(failure.value))

    script.say(spec.Connection.Close(320, "CONNECTION_FORCED - bye", 0, 0))

    (problem,) = problems
    assert isinstance(problem, Unavailable)
    assert problem.problem == "320 CONNECTION_FORCED - bye"
    assert script.transport.disconnecting
    assert isinstance(script.methods()[-1], spec.Connection.CloseOk)


def test_who_tries_again_at_once_is_refused_when_the_connection_is_closed(script: Script) -> None:
    problems: list[str] = []

    async def persist() -> None:
        for _ in range(2):
            try:
                await script.connection.open_channel(ChannelHandler())
            except Unavailable as error:
                problems.append(error.problem)

    for _ in range(3):
        Deferred.fromCoroutine(persist())
    script.say(spec.Connection.Close(320, "CONNECTION_FORCED", 0, 0))

    assert problems == ["320 CONNECTION_FORCED"] * 6


def test_a_question_that_we_do_not_know_ends_the_handshake() -> None:
    script = Script()
    logging_in = Deferred.fromCoroutine(script.connection.log_in("guest", "guest"))
    problems: list[object] = []
    logging_in.addErrback(lambda failure: problems.append(failure.value))

    script.say(spec.Connection.Secure("what is your quest?"))

    (problem,) = problems
    assert isinstance(problem, Unavailable)
    assert script.transport.disconnecting


def test_silence_for_two_heartbeats_ends_the_connection(script: Script) -> None:
    script.clock.pump([15.0] * 3)
    assert not script.is_aborted()
    beats = script.heard()
    assert [each.frame_type for each in beats] == [spec.FRAME_HEARTBEAT] * 3

    script.connection.dataReceived(frames.HEARTBEAT_FRAME)
    script.clock.pump([15.0] * 4)
    assert not script.is_aborted()

    script.clock.advance(15.0)
    assert script.is_aborted()
    assert script.connection.close_reason == "nothing heard for 60 s"
