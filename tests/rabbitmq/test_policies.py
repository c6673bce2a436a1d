"""Which queues are bounded: those that clients may have, and no others."""

from __future__ import annotations

import re

import pytest

from stacksync.rabbitmq import ClientQueueLimits
from stacksync.rabbitmq.policies import DEAD_LETTERS, NAME, STREAMS

# Fixed, as the names of tests are the same in every process of a run.
SOMEBODYS = "5aab0531-3c19-4fbb-9d38-c0fd267c0690"
OWN = (f"requests of {SOMEBODYS}", f"a|b{SOMEBODYS}")


def is_bounded(name: str) -> bool:
    policies = ClientQueueLimits().policies(*OWN)
    (pattern,) = {policies[each]["pattern"] for each in (NAME, STREAMS)}
    return re.match(pattern, name) is not None


@pytest.mark.parametrize(
    "name", [f"reply_{SOMEBODYS}", SOMEBODYS.upper(), "amq.gen-JzTY20BRgKO", f"a{SOMEBODYS}b"]
)
def test_queues_of_clients_are_bounded(name: str) -> None:
    assert is_bounded(name)


@pytest.mark.parametrize("name", [*OWN, "ISyncService", "amqxgen-1", "orders", "ISyncService2"])
def test_other_queues_are_not(name: str) -> None:
    assert not is_bounded(name)


def test_dead_letters_are_bounded_in_bytes_whatever_their_queue_is_called() -> None:
    policy = ClientQueueLimits(dead=9).policies(*OWN)[DEAD_LETTERS]

    assert re.match(policy["pattern"], OWN[1])
    assert not re.match(policy["pattern"], OWN[1] + "c")
    assert policy["definition"] == {"max-length-bytes": 9}


def test_bounds_are_told_in_milliseconds() -> None:
    limits = ClientQueueLimits(unused=1.5, messages=7, size=8, age=2.0)

    policies = limits.policies(*OWN)

    assert policies[NAME]["definition"] == {
        "expires": 1500,
        "max-length": 7,
        "max-length-bytes": 8,
        "message-ttl": 2000,
    }
    assert policies[STREAMS]["definition"] == {"max-length-bytes": 8}
    # The first that can be applied to a queue is.
    assert policies[STREAMS]["priority"] < policies[NAME]["priority"]
