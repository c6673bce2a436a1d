"""How the broker comes about is told, and nobody's login with it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from stacksync.config import Config
from stacksync.embedded import rabbitmq
from stacksync.serving.amqp import AmqpFrontEnd, without_login
from stacksync.tls import HangUp


@pytest.fixture
def config(tmp_path: Any) -> Config:
    return Config.embedded(tmp_path / "home")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """RabbitMQ is not installed, and answers where a broker of the machine's own would be."""

    async def join(*_: Any) -> rabbitmq.Broker:
        return rabbitmq.Broker("amqp://guest:guest@127.0.0.1:5672/")

    monkeypatch.setattr(rabbitmq, "find_or_start", join)


def front_end(config: Config) -> AmqpFrontEnd:
    core: Any = SimpleNamespace(
        engine=SimpleNamespace(notifier=SimpleNamespace(subscribe=lambda sink: None))
    )
    return AmqpFrontEnd(Clock(), config, core, HangUp(reactor))


@pytest.mark.usefixtures("found")
@ensureDeferred
async def test_of_a_strange_broker_it_is_told_that_it_does_not_ask_us(config: Config) -> None:
    amqp = front_end(config)
    with capturedLogs() as events:
        await amqp.find_broker()

    assert amqp.public_url == "amqp://127.0.0.1:5672/"
    assert "does not ask StackSync: docs/amqp.rst" in amqp.note
    (told,) = map(formatEvent, events)
    assert "amqp://127.0.0.1:5672/" in told
    assert "amqp.auth_listen" in told
    assert "guest" not in told
    assert not amqp.takes_tokens


@pytest.mark.usefixtures("found")
@ensureDeferred
async def test_of_one_that_was_set_up_to_ask_there_is_nothing_to_tell(config: Config) -> None:
    settings = evolve(config.amqp, auth_listen="tcp:8089:interface=127.0.0.1")
    amqp = front_end(evolve(config, amqp=settings))
    with capturedLogs() as events:
        await amqp.find_broker()

    assert amqp.note == "joined broker"
    assert not events


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://ada:s%40cret@broker:5672/%2Fone", "amqp://broker:5672/%2Fone"),
        ("amqps://broker", "amqps://broker"),
        ("amqp://ada@[::1]:5672/", "amqp://[::1]:5672/"),
    ],
)
def test_an_address_is_shown_without_a_login(url: str, shown: str) -> None:
    assert without_login(url) == shown
