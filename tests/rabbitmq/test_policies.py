"""Which queues are bounded: those that clients may have, and no others."""

from __future__ import annotations

import re

import pytest

from stacksync.rabbitmq import ClientQueueLimits

# Fixed, as the names of tests are the same in every process of a run.
SOMEBODYS = "5aab0531-3c19-4fbb-9d38-c0fd267c0690"
OWN = ("ISyncService", "ISyncService.dead-letter", f"requests of {SOMEBODYS}", "a|b")


def is_bounded(name: str) -> bool:
    return re.match(ClientQueueLimits().policy(OWN)["pattern"], name) is not None


@pytest.mark.parametrize(
    "name", [f"reply_{SOMEBODYS}", SOMEBODYS.upper(), "amq.gen-JzTY20BRgKO", f"a{SOMEBODYS}b"]
)
def test_queues_of_clients_are_bounded(name: str) -> None:
    assert is_bounded(name)


@pytest.mark.parametrize("name", [*OWN, "amqxgen-1", "orders", "ISyncService2"])
def test_other_queues_are_not(name: str) -> None:
    assert not is_bounded(name)


def test_bounds_are_told_in_milliseconds() -> None:
    limits = ClientQueueLimits(unused=1.5, messages=7, size=8, age=2.0)

    assert limits.policy(OWN)["definition"] == {
        "expires": 1500,
        "max-length": 7,
        "max-length-bytes": 8,
        "message-ttl": 2000,
    }
