"""The queue of messages that could neither be done nor answered."""

from __future__ import annotations

import time
from typing import Any

import pika
from attrs import frozen

from tests.integration.clients.device import WAIT

QUEUE = "ISyncService.dead-letter"


@frozen
class DeadLetter:
    """A message from that queue."""

    reason: str
    headers: dict[str, Any]
    correlation_id: str | None
    body: bytes


class DeadLetters:
    """Reads the queue, as an operator would.

    :param url: of the broker.
    """

    def __init__(self, url: str) -> None:
        parameters = pika.URLParameters(url)
        parameters.heartbeat = 0
        self._connection = pika.BlockingConnection(parameters)
        self._channel = self._connection.channel()

    def close(self) -> None:
        self._connection.close()

    def next(self, within: float = WAIT) -> DeadLetter:
        """The oldest one, which is taken out.

        :raises TimeoutError: there is none.
        """
        end = time.monotonic() + within
        while True:
            found, properties, body = self._channel.basic_get(QUEUE, auto_ack=True)
            if found is not None:
                headers = properties.headers
                return DeadLetter(headers["x-reason"], headers, properties.correlation_id, body)
            if time.monotonic() > end:
                raise TimeoutError(f"no dead letter within {within:g} s")
            time.sleep(0.01)

    def of(self, correlation_id: str) -> DeadLetter:
        """The oldest one that is so called; what is older is taken out as well."""
        while (found := self.next()).correlation_id != correlation_id:
            pass
        return found

    def __len__(self) -> int:
        declared = self._channel.queue_declare(QUEUE, passive=True)
        return int(declared.method.message_count)
