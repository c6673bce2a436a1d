"""``ISyncService``: answers requests, whatever is in them.

A request that is refused is answered with an error if it names a response
queue, and goes to the dead-letter queue with the reason if it does not.  While
a part that we need is away, requests wait: nothing is dropped.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from stacksync.errors import InvalidRequest, Overloaded, StackSyncError, Unavailable
from stacksync.model import Principal
from stacksync.protocols.amqp.errors import RUNTIME, MethodNotFound, java_name
from stacksync.protocols.amqp.frames import Delivery
from stacksync.protocols.amqp.messages import (
    OBJECT_NAME,
    RESPONSE_TYPE,
    Request,
    decode_request,
    encode_error,
    encode_result,
)
from stacksync.protocols.amqp.method import Call, Method, Methods
from stacksync.protocols.amqp.publisher import Publisher
from stacksync.protocols.fields import Fields, shortened

log = Logger()

FIRST_DELAY = 0.1
LONGEST_DELAY = 2.0
OVERLOADED_TRIES = 5
REASON_CHARACTERS = 2000

PrincipalOf = Callable[[Delivery, Fields], Awaitable[Principal]]


class ObjectServer:
    """Serves the requests of one connection.

    :param dead_letter_queue: where requests go that can be neither done nor answered.
    """

    def __init__(
        self,
        reactor: Any,
        methods: Methods,
        principal_of: PrincipalOf,
        publisher: Publisher,
        dead_letter_queue: str,
    ) -> None:
        self._reactor = reactor
        self._methods = methods
        self._principal_of = principal_of
        self._publisher = publisher
        self._dead_letter_queue = dead_letter_queue

    async def serve(self, delivery: Delivery) -> None:
        """Do what a request asks, and answer; when it returns, the request is dealt with.

        :raises Unavailable: the connection is gone; the request will come again.
        """
        request: Request | None = None
        method: Method | None = None
        try:
            request = decode_request(delivery)
            method = self._methods.get(request.method)
            if method is None:
                known = ", ".join(sorted(self._methods))
                raise MethodNotFound(
                    f"{OBJECT_NAME} has no method {shortened(request.method)}; it has {known}"
                )
            if not request.is_async and not delivery.properties.get("reply_to"):
                raise InvalidRequest("reply_to", "is missing: there is nowhere to answer to")
            result = await self._call(method, delivery, request)
            if request.is_async:
                return
            answer = encode_result(request.id, result)
        except Unavailable as error:
            if self._publisher.failed is not None:
                raise
            await self._refuse(delivery, request, RUNTIME, str(error))
        except StackSyncError as error:
            name = java_name(error, method.errors if method is not None else {})
            await self._refuse(delivery, request, name, str(error))
        except Exception:
            incident = secrets.token_hex(4)
            log.failure("request failed, incident {incident}", incident=incident)
            await self._refuse(delivery, request, RUNTIME, f"internal error, incident {incident}")
        else:
            await self._respond(delivery, answer)

    async def _call(self, method: Method, delivery: Delivery, request: Request) -> Any:
        """Call the method, again and again while a part that it needs is away."""
        tries = 0
        while True:
            tries += 1
            try:
                principal = await self._principal_of(delivery, request.fields)
                return await method.call(Call(principal, request.fields))
            except Unavailable as error:
                hopeless = isinstance(error, Overloaded) and tries >= OVERLOADED_TRIES
                if hopeless or self._publisher.failed is not None:
                    raise
                log.debug("{method} waits: {error}", method=request.method, error=str(error))
            await deferLater(self._reactor, min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(tries, 10)))

    async def _respond(self, delivery: Delivery, answer: bytes) -> None:
        properties = {"app_id": OBJECT_NAME, "type": RESPONSE_TYPE}
        correlation_id = delivery.properties.get("correlation_id")
        if correlation_id is not None:
            properties["correlation_id"] = correlation_id
        reply_to = delivery.properties["reply_to"]
        await self._publisher.publish("", reply_to, properties, answer)

    def _refuse(
        self, delivery: Delivery, request: Request | None, name: str, message: str
    ) -> Awaitable[None]:
        method = shortened(request.method) if request is not None else "unreadable request"
        log.info("{method} refused: {message}", method=method, message=message)
        if delivery.properties.get("reply_to"):
            identity = request.id if request is not None else correlation(delivery)
            return Deferred.fromCoroutine(
                self._respond(delivery, encode_error(identity, name, message))
            )
        return self._bury(delivery, f"{name}: {message}")

    def _bury(self, delivery: Delivery, reason: str) -> Deferred[None]:
        """Keep a message that can't be processed, with the reason, for the operator."""
        properties = {
            name: delivery.properties[name]
            for name in ("app_id", "correlation_id", "type", "content_type")
            if name in delivery.properties
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
        return self._publisher.publish("", self._dead_letter_queue, properties, delivery.body)


def correlation(delivery: Delivery) -> str:
    """What to call a request that could not be read."""
    identity: str = delivery.properties.get("correlation_id", "")
    return identity.encode("utf-8", "replace").decode()
