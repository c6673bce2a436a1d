"""People around a shared folder at a broker that asks us: each has logged in by a token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any
from uuid import UUID

from attrs import define, field

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.permissions.stage import SharedFolder
from tests.integration.surroundings.asking_broker import Stage
from tests.integration.surroundings.ledger import Ledger, until
from tests.servers.stacksync import KnownUser

SENT_AWAY = """
    SELECT FROM job
    WHERE kind = 'disconnect' AND arguments ->> 'account_id' = %s AND finished_at IS NULL
"""


@define
class Logins:
    """Connections of people, one of each."""

    folder: SharedFolder
    _stage: Stage
    _connections: ExitStack
    _devices: dict[UUID, AmqpDevice] = field(init=False, factory=dict)

    def call(self, user: KnownUser, method: str, asked: dict[str, Any]) -> Any:
        """What the method answers somebody, who is who the broker says.

        :raises Refused: it does.
        """
        if user.id not in self._devices:
            device = closing(self._stage.device(user))
            self._devices[user.id] = self._connections.enter_context(device)
        return self._devices[user.id].call(method, **{"userId": None, **asked})


@contextmanager
def logins(stage: Stage) -> Iterator[Logins]:
    """A folder, and the connections of those who have to do with it."""
    with ExitStack() as connections:
        folder = connections.enter_context(closing(SharedFolder(stage.server, stage.people)))
        ledger, excluded = Ledger(stage.server.database_url), str(folder.users["ex-member"].id)
        # Twice, the second time when the broker has forgotten what he might do before.
        until(lambda: not ledger.rows(SENT_AWAY, excluded), "the ex-member is sent away")
        yield Logins(folder, stage, connections)
