"""``ISyncService``: answers requests, whatever is in them.

A request that is refused is answered with an error if it names a response
queue, and goes to the dead-letter queue with the reason if it does not.  While
a part that we need is away, requests wait: nothing is dropped.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.task import deferLater
from twisted.logger import Logger

from stacksync.errors import InvalidRequest, Overloaded, StackSyncError, Unavailable
from stacksync.model import Principal
from stacksync.protocols.amqp.errors import RUNTIME, MethodNotFound, java_name
from stacksync.protocols.amqp.messages import (
    OBJECT_NAME,
    RESPONSE_TYPE,
    Request,
    decode_request,
    encode_error,
    encode_result,
    well_formed,
)
from stacksync.protocols.amqp.methods.method import Call, Method, Methods
from stacksync.protocols.amqp.publisher import MessageRefused, Publisher
from stacksync.protocols.amqp.wire.frames import Delivery, Properties
from stacksync.protocols.fields import Fields, shortened
from stacksync.protocols.nesting import DEPTH

log = Logger()

FIRST_DELAY = 0.1
LONGEST_DELAY = 2.0
OVERLOADED_TRIES = 5
REASON_CHARACTERS = 2000
KEPT_PROPERTIES = frozenset(("app_id", "correlation_id", "type", "content_type"))

PrincipalOf = Callable[[Delivery, Fields], Awaitable[Principal]]


class ObjectServer:
    """Serves the requests of one connection.

    :param dead_letter_queue: where requests go that can be neither done nor answered.
    :param json_depth: how deep lists and objects may stand in one another.
    """

    def __init__(
        self,
        reactor: Any,
        methods: Methods,
        principal_of: PrincipalOf,
        publisher: Publisher,
        dead_letter_queue: str,
        json_depth: int = DEPTH,
    ) -> None:
        self._reactor = reactor
        self._methods = methods
        self._principal_of = principal_of
        self._publisher = publisher
        self._dead_letter_queue = dead_letter_queue
        self._json_depth = json_depth

    async def serve(self, delivery: Delivery) -> None:
        """Do what a request asks, and answer; when it returns, the request is dealt with.

        :raises Unavailable: the connection is gone; the request will come again.
        """
        request: Request | None = None
        method: Method | None = None
        try:
            request = decode_request(delivery, self._json_depth)
            method = self._methods.get(request.method)
            if method is None:
                known = ", ".join(sorted(self._methods))
                raise MethodNotFound(
                    f"{OBJECT_NAME} has no method {shortened(request.method)}; it has {known}"
                )
            if not request.is_async and not delivery.properties.get("reply_to"):
                raise InvalidRequest("reply_to", "is missing: there is nowhere to answer to")
            result = await self._call(method, delivery, request)
            if not request.is_async:
                await self._respond(delivery, encode_result(request.id, method.encode(result)))
        except Unavailable as error:
            if self._publisher.failed is not None:
                raise
            await self._refuse(delivery, request, RUNTIME, str(error))
        except InvalidRequest as error:
            names, own = (method.names, method.errors) if method is not None else ({}, {})
            field = names.get(error.field, error.field)
            name = java_name(error, own)
            await self._refuse(delivery, request, name, f"{field}: {error.problem}")
        except StackSyncError as error:
            name = java_name(error, method.errors if method is not None else {})
            await self._refuse(delivery, request, name, str(error))
        except Exception:
            incident = secrets.token_hex(4)
            log.failure("request failed, incident {incident}", incident=incident)
            await self._refuse(delivery, request, RUNTIME, f"internal error, incident {incident}")

    async def _call(self, method: Method, delivery: Delivery, request: Request) -> Any:
        """Call the method, again and again while a part that it needs is away."""
        tries = 0
        while True:
            tries += 1
            try:
                principal = await self._principal_of(delivery, request.fields)
                return await method.call(Call(principal, request.fields))
            except Unavailable as error:
                if isinstance(error, Overloaded) and tries >= OVERLOADED_TRIES:
                    raise
                log.debug("{method} waits: {error}", method=request.method, error=str(error))
                await self._pause(tries, error)

    async def _respond(self, delivery: Delivery, answer: bytes) -> None:
        properties = {"app_id": OBJECT_NAME, "type": RESPONSE_TYPE}
        correlation_id = delivery.properties.get("correlation_id")
        if correlation_id is not None:
            properties["correlation_id"] = correlation_id
        await self._publish(delivery.properties["reply_to"], properties, answer)

    async def _refuse(
        self, delivery: Delivery, request: Request | None, name: str, message: str
    ) -> None:
        message = well_formed(message)
        method = shortened(request.method) if request is not None else "unreadable request"
        log.info("{method} refused: {message}", method=method, message=message)
        if delivery.properties.get("reply_to"):
            correlation_id = delivery.properties.get("correlation_id", "")
            identity = request.id if request is not None else well_formed(correlation_id)
            try:
                await self._respond(delivery, encode_error(identity, name, message))
                return
            except MessageRefused as error:
                message = f"{message}; the answer cannot be delivered: {error}"
        await self._bury(delivery, f"{name}: {message}")

    async def _bury(self, delivery: Delivery, reason: str) -> None:
        """Keep a message that can't be processed, with the reason, for the operator."""
        properties: dict[str, Any] = {
            name: value for name, value in delivery.properties.items() if name in KEPT_PROPERTIES
        }
        properties["delivery_mode"] = 2
        properties["headers"] = {
            "x-reason": reason[:REASON_CHARACTERS],
            "x-exchange": delivery.exchange,
            "x-routing-key": delivery.routing_key,
            # As user_id itself, RabbitMQ would refuse it: it is not our login.
            "x-user-id": delivery.properties.get("user_id", ""),
            "x-size": delivery.size,
        }
        await self._publish(self._dead_letter_queue, properties, delivery.body)

    async def _publish(self, queue: str, properties: Properties, body: bytes) -> None:
        """Put a message into a queue, however long the broker makes us wait."""
        tries = 0
        while True:
            tries += 1
            try:
                await self._publisher.publish("", queue, properties, body)
                return
            except Unavailable as error:
                await self._pause(tries, error)

    async def _pause(self, tries: int, error: Unavailable) -> None:
        """Wait before the next try; a connection that is gone while we wait ends it.

        :raises Unavailable: it is gone.
        """
        if self._publisher.failed is None:
            delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(tries, 10))
            await deferLater(self._reactor, delay)
        if self._publisher.failed is not None:
            raise error
