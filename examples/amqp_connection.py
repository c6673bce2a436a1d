"""A StackSync server over AMQP: ObjectMQ by way of RabbitMQ (docs/amqp.rst).

One queue of our own takes everything that is meant for us: the responses,
because our requests name it in ``reply_to``, and the notifications, because it
is bound to the fanout exchanges of our workspaces and of our account.
"""

from __future__ import annotations

import json
import re
import ssl
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pika
import pika.exceptions
from connections import Event, Item, Lost, Refused, again_and_again, complain
from trust import MACHINES, Trust, not_trusted

REQUEST_EXCHANGE = "rpc_global_exchange"
OBJECT_NAME = "ISyncService"
ANSWER_WITHIN = 30.0
ACCESS_REFUSED = 403
LOGIN_REFUSED = (
    pika.exceptions.AuthenticationError,
    pika.exceptions.ProbableAuthenticationError,
    pika.exceptions.ProbableAccessDeniedError,
)
NOT_LET_IN = (
    "AMQP: the broker does not let us in: the token was revoked or has expired (start again, with"
    " the password), or the service is away"
)


class NotLetIn(Lost):
    """The broker refuses our login, or can't ask at present whether it is right."""


class AmqpConnection:
    """See :class:`connections.Connection`.

    :param url: ``amqp://user:password@host:port/vhost``; the user is the account's id (or its
        e-mail), and the password a token, unless the broker has users of its own.  With
        ``amqps`` it is spoken to by TLS.
    :param trust: whom we believe to be the broker then.
    :raises NotLetIn: the broker refuses that.
    :raises Lost: there is no broker, or no server behind it.
    :raises Refused: there is no such account, or we don't trust the broker.
    """

    def __init__(self, url: str, email: str, trust: Trust = MACHINES) -> None:
        self._parameters = pika.URLParameters(url)
        if self._parameters.ssl_options is not None:
            # Pika's own would not know which host has to be proven.
            host = self._parameters.host
            self._parameters.ssl_options = pika.SSLOptions(trust.context(), host)
        self._connection: Any = None
        self._channel: Any = None
        self._queue = ""
        self._wanted: set[str] = set()
        self._bound: set[str] = set()
        self._times_opened = 0
        self._asked: set[str] = set()
        self._answers: dict[str, dict[str, Any]] = {}
        self._listening = False
        self._events: deque[Event] = deque()
        self._user: dict[str, str] = {}
        info = self._ask_once(*self._request("getAccountInfo", email=email))
        self._user = {"userId": info["userId"]}
        self.account = snake(info) | {"id": info["userId"]}

    def workspaces(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = snake(self._call("getWorkspaces"))
        return found

    def register_device(self, name: str) -> str:
        return str(self._call("updateDevice", deviceName=name, os=sys.platform))

    def changes(self, workspace_id: str, since: int) -> tuple[int, list[Item]]:
        items = self._call("getChanges", workspaceId=workspace_id, sinceRevision=since)
        return max([since, *(item["revision"] for item in items)]), snake(items)

    def commit(self, workspace_id: str, device_id: str, items: list[Item]) -> dict[str, Any]:
        # Asynchronous, as the desktop client does it.  What answers is the
        # notification that goes to all devices: ours has our request's id.
        self._wanted.add(f"multi#{workspace_id}")
        fields = {"workspaceId": workspace_id, "deviceId": device_id, "items": camel(items)}
        return commit_told(self._call("commit", is_async=True, **fields))

    def notifications(self) -> Iterator[Event]:
        self._listening = True
        while True:
            try:
                yield from self._events_until_reopened()
            except Lost as lost:
                complain(lost)

    def _events_until_reopened(self) -> Iterator[Event]:
        # Bound first, asked for the revisions second: nothing falls in between.
        self._wanted.add(f"multi#{self.account['id']}")
        self._wanted.update(f"multi#{each['id']}" for each in self.workspaces())
        again_and_again(self._open)
        opened = self._times_opened
        revisions = [
            {"id": each["id"], "revision": each["latest_revision"]} for each in self.workspaces()
        ]
        yield Event("hello", {"workspaces": revisions})
        while self._times_opened == opened:
            while self._events:
                yield self._events.popleft()
            self._wait(1.0)

    def _call(self, method: str, is_async: bool = False, **fields: Any) -> Any:
        identity, body = self._request(method, is_async, **fields)
        return again_and_again(lambda: self._ask_once(identity, body))

    def _request(self, method: str, is_async: bool = False, **fields: Any) -> tuple[str, bytes]:
        """A request's id and body, which stay the same however often it is sent."""
        identity = str(uuid4())
        parameter = {"requestId": identity, **self._user, **fields}
        envelope = {"id": identity, "method": method, "async": is_async, "params": [parameter]}
        return identity, json.dumps(envelope).encode()

    def _ask_once(self, identity: str, body: bytes) -> Any:
        """The result of a request, or for an asynchronous one the notification of it."""
        self._open()
        properties = pika.BasicProperties(
            app_id=OBJECT_NAME,
            type="gson",
            correlation_id=identity,
            reply_to=self._queue,
            # The broker lets through nothing but our login here, so the server can believe it.
            user_id=self._parameters.credentials.username,
        )
        self._asked.add(identity)
        try:
            # In confirm mode this returns when the broker has the request in the queue.
            self._channel.basic_publish(
                REQUEST_EXCHANGE, OBJECT_NAME, body, properties, mandatory=True
            )
            deadline = time.monotonic() + ANSWER_WITHIN
            while identity not in self._answers:
                if time.monotonic() > deadline:
                    raise Lost(f"AMQP: no answer in {ANSWER_WITHIN:g} s")
                self._wait(1.0)
        except pika.exceptions.AMQPError as error:
            raise self._lost(error) from error
        finally:
            self._asked.discard(identity)
        answer = self._answers.pop(identity)
        if answer.get("error"):
            raise Refused(answer["error"]["message"])
        return answer.get("result")

    def _wait(self, seconds: float) -> None:
        """Return when something has come, or when the time is over."""
        try:
            self._connection.process_data_events(time_limit=seconds)
        except pika.exceptions.AMQPError as error:
            raise self._lost(error) from error

    def _open(self) -> None:
        """Make sure that there is a channel, and that our queue gets what we want to hear."""
        try:
            if self._channel is None:
                self._connection = pika.BlockingConnection(self._parameters)
                self._channel = self._connection.channel()
                self._channel.confirm_delivery()
                self._queue = self._channel.queue_declare("", exclusive=True).method.queue
                self._channel.basic_consume(self._queue, self._received, auto_ack=True)
                self._bound.clear()
                self._times_opened += 1
            for exchange in self._wanted - self._bound:
                self._bind(exchange)
        except (pika.exceptions.AMQPError, ssl.SSLError) as error:
            raise self._lost(error) from error

    def _bind(self, exchange: str) -> None:
        try:
            # Whoever comes first declares it, client or server, always like this.
            self._channel.exchange_declare(exchange, "fanout")
            self._channel.queue_bind(self._queue, exchange)
        except pika.exceptions.ChannelClosedByBroker as error:
            if error.reply_code == ACCESS_REFUSED:
                # A workspace of which we are no member any more.
                self._wanted.discard(exchange)
            raise
        self._bound.add(exchange)

    def _lost(self, error: Exception) -> Lost | Refused:
        """Drop the connection, so that the next request opens another one."""
        self._channel = None
        try:
            self._connection.close()
        except (AttributeError, pika.exceptions.AMQPError):
            pass  # there was none, or no more
        if isinstance(error, LOGIN_REFUSED):
            return NotLetIn(NOT_LET_IN)
        place = f"{self._parameters.host}:{self._parameters.port}"
        return not_trusted(place, error) or Lost(f"AMQP: {type(error).__name__} {error}".strip())

    def _received(self, channel: Any, delivery: Any, properties: Any, body: bytes) -> None:
        message = json.loads(body)
        if "method" not in message:
            if message["id"] in self._asked:
                self._answers[message["id"]] = message
            return
        (told,) = message["params"]
        if message["method"] == "notifyCommit":
            if told["requestId"] in self._asked:
                self._answers[told["requestId"]] = {"result": told}
            event = Event("commit", commit_told(told))
        elif message["method"] == "notifyUpdateWorkspace":
            event = Event("workspace", {"id": told["workspaceId"], "name": told["folderName"]})
        else:
            return  # a later server may tell more
        if self._listening:
            self._events.append(event)


def commit_told(notification: dict[str, Any]) -> dict[str, Any]:
    """A ``CommitNotification`` in the spelling of HTTP."""
    told: dict[str, Any] = snake(notification)
    for info in told["items"]:
        info["committed"] = info.pop("commit_succeed")
        info.setdefault("reason", None)
    return told


def camel(value: Any) -> Any:
    """``parent_id`` becomes ``parentId``, in all names of objects."""
    return renamed(value, lambda name: re.sub("_(.)", lambda found: found[1].upper(), name))


def snake(value: Any) -> Any:
    """``parentId`` becomes ``parent_id``, in all names of objects."""
    return renamed(value, lambda name: re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name))


def renamed(value: Any, rename: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {rename(name): renamed(part, rename) for name, part in value.items()}
    if isinstance(value, list):
        return [renamed(part, rename) for part in value]
    return value
