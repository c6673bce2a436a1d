"""Devices that follow: what they know is what events and changes since their cursors told them.

A replica looks at its workspaces once, when it begins.  From then on it asks
only when it is told of something, and only for what changed since.
"""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections import deque
from typing import Any

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.answers import Item, Refused, from_amqp
from tests.integration.clients.device import WAIT
from tests.integration.clients.file_client import FileClient
from tests.integration.clients.http_device import EventStream
from tests.integration.random_sharing.shared_trees import Told, Tree, difference, placed
from tests.integration.surroundings.ledger import until
from tests.servers.stacksync import KnownUser

TURN = 0.1
"""Seconds after which a replica looks whether it should end."""


class Replica(ABC):
    """Follows in a thread of its own, between :meth:`start` and :meth:`stop`."""

    def __init__(self, user: KnownUser) -> None:
        self.user = user
        self.heard: deque[str] = deque(maxlen=200)
        """What it was told, for who wonders why it does not know."""
        self._workspaces: dict[str, Told] = {}
        self._items: dict[str, dict[int, Item]] = {}
        self._cursors: dict[str, int] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Return as soon as it knows the present and hears of all that comes."""
        self._begin()
        self._thread.start()

    def finish(self) -> None:
        """End soon, without waiting for it."""
        self._stopping.set()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(WAIT)

    def assert_becomes(self, tree: Tree, within: float = WAIT) -> None:
        """Fail if it does not come to know this tree by what it is told."""
        try:
            until(lambda: self._failed or not self._missing(tree), "known to a replica", within)
        except TimeoutError:
            heard = "\n  ".join(self.heard)
            raise AssertionError(
                f"what a replica of {self.user.email} on {type(self).__name__} does not know"
                f" (it, and what is so):\n{self._missing(tree)}\nit heard:\n  {heard}"
            ) from None
        if self._problem is not None:
            raise self._problem

    @property
    def _failed(self) -> bool:
        return self._problem is not None

    def _missing(self, tree: Tree) -> str:
        with self._lock:
            try:
                own = placed(self._workspaces.values(), self._items)
            except AssertionError as error:
                # It has heard of the arrival of something, and not yet that it has left.
                return str(error)
        return difference(own, tree)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn()
        except BaseException as problem:
            if not self._stopping.is_set():
                self._problem = problem
        finally:
            self._end()

    def _look(self) -> None:
        """Look at all workspaces, and at what is new in them."""
        workspaces = self._list()
        known = {each["id"] for each in workspaces}
        with self._lock:
            for gone in self._workspaces.keys() - known:
                self._forget(gone)
        for each in workspaces:
            self._know(each)

    def _know(self, workspace: Told) -> None:
        """A workspace is there, and as it is told here."""
        workspace_id = workspace["id"]
        self._catch_up(workspace_id, workspace["latest_revision"])
        with self._lock:
            if workspace_id in self._items:
                self._workspaces[workspace_id] = workspace

    def _catch_up(self, workspace_id: str, revision: int) -> None:
        """Ask for what changed, if it has got to a revision that we don't know."""
        since = self._cursors.get(workspace_id)
        if since is not None and revision <= since:
            return
        try:
            reached, items = self._changes(workspace_id, since or 0, revision)
        except Refused as refused:
            self.heard.append(f"changes of {workspace_id} since {since}: {refused}")
            # We are told that we are no member any more, or have been.
            return
        with self._lock:
            self._items.setdefault(workspace_id, {}).update({each["id"]: each for each in items})
            self._cursors[workspace_id] = max(reached, since or 0)

    def _forget(self, workspace_id: str) -> None:
        for known in (self._workspaces, self._items, self._cursors):
            known.pop(workspace_id, None)  # type: ignore[attr-defined]

    @abstractmethod
    def _begin(self) -> None:
        """Listen, and learn the present."""

    @abstractmethod
    def _turn(self) -> None:
        """Wait for an event for a short time, and heed it."""

    @abstractmethod
    def _end(self) -> None:
        """Hang up."""

    @abstractmethod
    def _list(self) -> list[Told]:
        """The workspaces as HTTP tells them."""

    @abstractmethod
    def _changes(self, workspace_id: str, since: int, revision: int) -> tuple[int, list[Item]]:
        """What changed, and up to which revision: this one at least."""


class HttpReplica(Replica):
    """Hears by ``GET /events``.

    :param url: of the server, without a path.
    """

    def __init__(self, url: str, user: KnownUser) -> None:
        super().__init__(user)
        self._client = FileClient(url, user)
        self._stream: EventStream | None = None

    def _begin(self) -> None:
        self._stream = EventStream(self._client.url, self.user)
        name, _ = self._stream.next(WAIT)
        assert name == "hello"
        self._look()

    def _turn(self) -> None:
        assert self._stream is not None
        try:
            name, event = self._stream.next(TURN)
        except TimeoutError:
            return
        self.heard.append(f"{name}: {brief(event)}")
        if name == "commit":
            if event["workspace_id"] in self._workspaces:
                self._catch_up(event["workspace_id"], event["revision"])
        elif name == "workspace":
            self._know(event)
        elif name == "unshare":
            with self._lock:
                self._forget(event["workspace_id"])
        elif name == "hello":
            self._look()
        else:
            assert name == "share-proposal", name

    def _end(self) -> None:
        self._client.close()
        if self._stream is not None:
            self._stream.close()

    def _list(self) -> list[Told]:
        return list(self._client.ask("GET", "/workspaces")["workspaces"])

    def _changes(self, workspace_id: str, since: int, revision: int) -> tuple[int, list[Item]]:
        told = self._client.ask("GET", f"/workspaces/{workspace_id}/changes?since={since}")
        return told["revision"], told["items"]


class AmqpReplica(Replica):
    """Hears on the exchanges of the user and of every workspace it knows.

    :param url: of the broker.
    """

    def __init__(self, url: str, user: KnownUser) -> None:
        super().__init__(user)
        self._device = Listener(url, user)

    def _begin(self) -> None:
        self._device.hear(str(self.user.id))
        self._look()

    def _turn(self) -> None:
        self._device.read(TURN)
        while self._device.notifications:
            method, parameter = self._device.notifications.popleft()
            workspace_id = parameter["workspaceId"]
            self.heard.append(f"{method}: {brief(parameter)}")
            if method == "notifyCommit":
                if workspace_id in self._workspaces:
                    self._catch_up(workspace_id, parameter["revision"])
            elif method in ("notifyUpdateWorkspace", "notifyUnshare"):
                # These don't tell all that there is to know.
                self._look()
            else:
                assert method == "notifyShareProposal", method

    def _end(self) -> None:
        self._device.close()

    def _list(self) -> list[Told]:
        workspaces = [
            {
                "id": told["id"],
                "name": told["name"],
                "parent_item_id": (told.get("parentItem") or {}).get("id"),
                "root_item_id": (told.get("rootItem") or {}).get("id"),
                "latest_revision": told["latestRevision"],
            }
            for told in self._device.call("getWorkspaces")
        ]
        for each in workspaces:
            self._device.hear(each["id"])
        return workspaces

    def _changes(self, workspace_id: str, since: int, revision: int) -> tuple[int, list[Item]]:
        told = self._device.call("getChanges", workspaceId=workspace_id, sinceRevision=since)
        return revision, [from_amqp(metadata) for metadata in told]


class Listener(AmqpDevice):
    """Keeps whatever it is notified of, as it came."""

    def __init__(self, url: str, user: KnownUser) -> None:
        self.notifications: deque[tuple[str, dict[str, Any]]] = deque()
        super().__init__(url, user)

    def hear(self, name: str) -> None:
        """Hear what is told on a workspace's or user's exchange."""
        exchange = f"multi#{name}"
        if exchange not in self._exchanges:
            self._exchanges.append(exchange)
            self._bind()

    def _take_notification(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        told = json.loads(body)
        (parameter,) = told["params"]
        self.notifications.append((told["method"], parameter))


def brief(event: Told) -> str:
    """An event without the items, which are asked for."""
    return str({name: value for name, value in event.items() if name != "items"})
