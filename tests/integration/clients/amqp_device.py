"""A device on AMQP, written after contracts/objectmq.md with pika: one per thread."""

from __future__ import annotations

import json
import time
from collections import deque
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pika
import pika.exceptions

from tests.integration.clients.answers import (
    Answer,
    Item,
    Notification,
    Refused,
    amqp_answer,
    from_amqp,
    to_amqp,
)
from tests.integration.clients.device import WAIT, Device, Workspace, WorkspaceUpdate
from tests.servers.stacksync import KnownUser

EXCHANGE = "rpc_global_exchange"
OBJECT = "ISyncService"


class AmqpDevice(Device):
    """Commits as old clients do: asynchronously, answered by the workspace's notification.

    :param url: where and as whom to log in to the broker.
    :param user_id: what to put into the property of this name, if anything.
    """

    protocol = "amqp"

    def __init__(self, url: str, user: KnownUser, user_id: str | None = None) -> None:
        super().__init__(user)
        self._url = url
        self._user_id = user_id
        self._exchanges: list[str] = []
        self._responses: dict[str, Any] = {}
        self._commits: dict[str, str] = {}
        """The request ids of commits, by the id of the message."""
        self._answers: dict[str, deque[Answer | Refused]] = {}
        self._heard: deque[Notification] = deque()
        self.last_sent = self.last_received = b""
        """The bodies of the latest messages, whatever they were."""
        self._updates: deque[WorkspaceUpdate] = deque()
        self.shares: deque[tuple[str, dict[str, Any]]] = deque()
        """What the device was told of proposals and their end: the methods, their parameters."""
        self._connect()

    def close(self) -> None:
        with suppress(pika.exceptions.AMQPError):
            self._connection.close()

    def reconnect(self, within: float = WAIT) -> None:
        """Connect anew, as soon as the broker lets us; what it told meanwhile is missed."""
        end = time.monotonic() + within
        while True:
            try:
                self.close()
                self._connect()
                return
            except pika.exceptions.AMQPError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def listen(self) -> dict[str, int]:
        told = {workspace.id: workspace.revision for workspace in self.workspaces()}
        self._exchanges = [f"multi#{name}" for name in (*told, str(self.user.id))]
        self._bind()
        return {workspace.id: workspace.revision for workspace in self.workspaces()}

    def account(self) -> dict[str, Any]:
        told = self.call("getAccountInfo", userId=None, email=self.user.email)
        return {"id": told["userId"], "email": told["email"], "quota_used": told["quotaUsed"]}

    def register(self, name: str = "laptop") -> str:
        self.id = self.call("updateDevice", deviceName=name, os="Linux")
        return self.id

    def update_device(self, device_id: str, name: str) -> None:
        assert self.call("updateDevice", deviceId=device_id, deviceName=name) == device_id

    def workspaces(self) -> list[Workspace]:
        return [
            Workspace(
                told["id"],
                told["name"],
                told["latestRevision"],
                (told.get("parentItem") or {}).get("id"),
            )
            for told in self.call("getWorkspaces")
        ]

    def update_workspace(self, workspace_id: str, name: str, parent: int | None = None) -> None:
        fields = {"workspaceId": workspace_id, "workspaceName": name, "parentItemId": parent}
        assert self.call("updateWorkspace", **fields) is None

    def changes(self, since: int | None, workspace_id: str | None = None) -> list[Item]:
        told = self.call(
            "getChanges", workspaceId=workspace_id or self.workspace, sinceRevision=since
        )
        return [from_amqp(metadata) for metadata in told]

    def commit(
        self,
        *items: Item,
        request_id: str | None = None,
        device_id: str | None = None,
        workspace_id: str | None = None,
    ) -> Answer:
        where = {"request_id": request_id, "device_id": device_id, "workspace_id": workspace_id}
        return self.answer_to(self.send_commit(*items, **where))

    def next_notification(self, within: float = WAIT) -> Notification:
        self._until(lambda: bool(self._heard), within, "notification")
        return self._heard.popleft()

    def next_update(self, within: float = WAIT) -> WorkspaceUpdate:
        self._until(lambda: bool(self._updates), within, "update of a workspace")
        return self._updates.popleft()

    # -- what only this protocol has

    def next_share(self, within: float = WAIT) -> tuple[str, dict[str, Any]]:
        """The next that the device is told of a proposal or its end."""
        self._until(lambda: bool(self.shares), within, "news of a share")
        return self.shares.popleft()

    def call(self, method: str, **fields: Any) -> Any:
        """The result of a synchronous call.

        :raises Refused: the response is an error.
        """
        return self.response_to(self.send(method, asynchronous=False, **fields))

    def response_to(self, message_id: str, within: float = WAIT) -> Any:
        """Wait for the response to a message of ours.

        :raises Refused: it is an error.
        """
        self._until(lambda: message_id in self._responses, within, "response")
        told = self._responses.pop(message_id)
        if isinstance(told, Refused):
            raise told
        return told

    def call_commit(self, *items: Item, **where: str | None) -> Answer:
        """A synchronous commit, whose response is for this very message."""
        return amqp_answer(self.call("commit", **self._commit_fields(items, **where)))

    def send_commit(self, *items: Item, **where: str | None) -> str:
        """Send a commit without waiting; the request id to ask :meth:`answer_to` for."""
        fields = self._commit_fields(items, **where)
        self._commits[self.send("commit", asynchronous=True, **fields)] = fields["requestId"]
        return str(fields["requestId"])

    def answer_to(self, request_id: str, within: float = WAIT) -> Answer:
        """Wait for the notification of a commit of ours.

        :raises Refused: there was an error instead.
        """
        self._until(lambda: self.is_answered(request_id), within, f"answer to {request_id}")
        answer = self._answers[request_id].popleft()
        if isinstance(answer, Refused):
            raise answer
        return answer

    def is_answered(self, request_id: str) -> bool:
        """Whether the answer to a commit is here, without waiting."""
        return bool(self._answers.get(request_id))

    def confirm_publishing(self) -> None:
        """From now on, return from sending when the broker has the message for good."""
        self._channel.confirm_delivery()

    def read(self, seconds: float = 0.0) -> None:
        """Take in what has arrived, waiting so long for something."""
        self._connection.process_data_events(seconds)
        if not self._channel.is_open:
            raise pika.exceptions.ChannelWrongStateError("the broker has closed the channel")

    def send(self, method: str, *, asynchronous: bool, **fields: Any) -> str:
        """Send a request; returns the id of the message, which its response names."""
        message_id = str(uuid4())
        fields.setdefault("requestId", message_id)
        fields.setdefault("userId", str(self.user.id))
        envelope = {"id": message_id, "method": method, "async": asynchronous, "params": [fields]}
        # Not escaped, so that the server sees the bytes of whatever text a test sends.
        body = json.dumps(envelope, ensure_ascii=False).encode("utf-8", "surrogatepass")
        self.publish(body, message_id)
        return message_id

    def publish(self, body: bytes, correlation_id: str, **properties: Any) -> None:
        """Send any message to the server; ``properties`` overrides what is usual."""
        usual = {
            "app_id": OBJECT,
            "correlation_id": correlation_id,
            "reply_to": self._reply_to,
            "type": "gson",
            "user_id": self._user_id,
            "delivery_mode": 2,
        }
        self.last_sent = body
        told = pika.BasicProperties(**{**usual, **properties})
        self._channel.basic_publish(EXCHANGE, OBJECT, body, told)

    def _connect(self) -> None:
        parameters = pika.URLParameters(self._url)
        parameters.heartbeat = 0
        self._connection = pika.BlockingConnection(parameters)
        self._channel = self._connection.channel()
        queues = [self._channel.queue_declare("", exclusive=True).method.queue for _ in range(2)]
        self._reply_to, self._notifications = queues
        self._channel.basic_consume(self._reply_to, self._take_response, auto_ack=True)
        self._channel.basic_consume(self._notifications, self._take_notification, auto_ack=True)
        self._bind()

    def _bind(self) -> None:
        for exchange in self._exchanges:
            self._channel.exchange_declare(exchange, "fanout")
            self._channel.queue_bind(self._notifications, exchange)

    def _commit_fields(
        self,
        items: tuple[Item, ...],
        request_id: str | None = None,
        device_id: str | None = None,
        workspace_id: str | None = None,
    ) -> dict[str, Any]:
        return {
            "requestId": request_id or str(uuid4()),
            "workspaceId": workspace_id or self.workspace,
            "deviceId": device_id or self.id,
            "items": [to_amqp(item) for item in items],
        }

    def _take_response(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        assert properties.app_id == OBJECT
        assert properties.type == "normalResponse"
        self.last_received = body
        told = json.loads(body)
        assert told["idOmq"] == OBJECT
        message_id, error = properties.correlation_id, told.get("error")
        if error is None:
            self._responses[message_id] = told["result"]
            return
        refused = Refused(error["type"].rpartition(".")[2], error["message"])
        if message_id in self._commits:
            self._answers.setdefault(self._commits[message_id], deque()).append(refused)
        else:
            self._responses[message_id] = refused

    def _take_notification(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self.last_received = body
        told = json.loads(body)
        (parameter,) = told["params"]
        assert told["async"] is True
        assert method.exchange == f"multi#{properties.app_id}"
        if told["method"] == "notifyUpdateWorkspace":
            self._updates.append(
                WorkspaceUpdate(
                    parameter["requestId"],
                    parameter["workspaceId"],
                    parameter["folderName"],
                    parameter.get("parentItemId"),
                )
            )
            return
        if told["method"] in ("notifyShareProposal", "notifyUnshare"):
            self.shares.append((told["method"], parameter))
            return
        assert told["method"] == "notifyCommit"
        answer = amqp_answer(parameter)
        self._heard.append(Notification(parameter["workspaceId"], answer.revision, answer))
        self._answers.setdefault(answer.request_id, deque()).append(answer)

    def _until(self, condition: Any, within: float, what: str) -> None:
        end = time.monotonic() + within
        while not condition():
            remaining = end - time.monotonic()
            if remaining <= 0:
                raise TimeoutError(f"no {what} within {within:g} s")
            self.read(min(remaining, 1.0))
