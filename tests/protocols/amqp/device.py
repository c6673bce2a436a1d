"""A device on the broker, as old clients are: pika in the reactor's pauses."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from typing import Any

import orjson
import pika

from tests.protocols.amqp.waiting import eventually

numbers = count(1)


class Device:
    """Sends requests and hears answers and notifications on a connection of its own."""

    def __init__(self, url: str, user_id: str | None = None) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel: Any = self._connection.channel()
        self._user_id = user_id
        self._answers = self._own_queue()

    def hang_up(self) -> None:
        """End the connection, if the broker has not."""
        with suppress(pika.exceptions.AMQPConnectionError):
            self._connection.close()

    def send(self, method: str, is_async: bool = False, **fields: Any) -> str:
        """Ask without waiting; returns the request's id."""
        identity = f"request {next(numbers)}"
        envelope = {"id": identity, "method": method, "async": is_async}
        envelope["params"] = [{"requestId": identity, **fields}]
        self.send_bytes(orjson.dumps(envelope), correlation_id=identity, reply_to=self._answers)
        return identity

    def send_bytes(self, body: bytes, **properties: Any) -> None:
        """Send whatever one likes as a request."""
        if self._user_id is not None:
            properties["user_id"] = self._user_id
        told = pika.BasicProperties(app_id="ISyncService", **properties)
        self.channel.basic_publish("rpc_global_exchange", "ISyncService", body, told)

    async def answer(self) -> Any:
        """The next answer."""
        return await self.hear(self._answers)

    async def call(self, method: str, **fields: Any) -> Any:
        """What a method answers: the result, or type and message of the error."""
        identity = self.send(method, **fields)
        answer = await self.answer()
        assert answer["id"] == identity
        if "error" in answer:
            return answer["error"]["type"].rpartition(".")[2], answer["error"]["message"]
        return answer["result"]

    def listen(self, identity: str) -> str:
        """A queue that hears what is told to a workspace or a user."""
        exchange, queue = f"multi#{identity}", self._own_queue()
        self.channel.exchange_declare(exchange, "fanout")
        self.channel.queue_bind(queue, exchange)
        return queue

    async def hear(self, queue: str) -> Any:
        """The next message in one of its queues."""
        _, _, body = await eventually(lambda: self.next_in(queue))
        return orjson.loads(body)

    def next_in(self, queue: str) -> Any:
        """The next message of any queue, with what stands beside it; ``None``: there is none."""
        message = self.channel.basic_get(queue, auto_ack=True)
        return message if message[0] is not None else None

    def _own_queue(self) -> str:
        return str(self.channel.queue_declare("", exclusive=True).method.queue)
