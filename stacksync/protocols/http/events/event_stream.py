"""One event stream: its pace, its bounded buffer, its heartbeat.

A client that reads is written to at once.  For one that doesn't, events wait
in a bounded buffer; when that is full they are told as one bare hint per
workspace, which is all that a client needs to catch up.  Nothing is lost and
nothing grows.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
from attrs import define, field
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from stacksync.protocols.http.events.holdings import Holdings
    from stacksync.protocols.http.request import ApiRequest

BUFFER_BYTES = 1024**2
PAUSED_BEATS_MAX = 4
HEARTBEAT = b": alive\n\n"
GOODBYE = b": the server stops\n\n"
CUT = b": what you have signed in with holds no more\n\n"


def frame(name: str, data: bytes) -> bytes:
    """An event as it goes over the wire (HTML standard, *Server-sent events*).

    :param data: JSON on one line.
    """
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def hint(workspace_id: UUID, revision: int) -> bytes:
    """A commit of which only the revision is told."""
    return frame("commit", orjson.dumps({"workspace_id": workspace_id, "revision": revision}))


@define
class Waiting:
    """Events that wait until the client reads on, or hints in their stead.

    :ivar collapsed: whether there were too many, and hints stand for all of them.
    """

    _events_max: int
    collapsed: bool = False
    size: int = 0
    _events: deque[tuple[UUID, int | None, bytes]] = field(factory=deque)
    _revisions: dict[UUID, int] = field(factory=dict)
    _updates: dict[UUID, bytes] = field(factory=dict)

    def __len__(self) -> int:
        return len(self._events) + len(self._revisions) + len(self._updates)

    def add(self, workspace_id: UUID, revision: int | None, event: bytes) -> None:
        """Keep an event.

        :param workspace_id: what it is about; a proposal's id for an event that tells one.
        :param revision: of the commit that it tells; ``None`` for any other
            event, of which the latest stands for those before it.
        """
        if not self.collapsed:
            self._events.append((workspace_id, revision, event))
            self.size += len(event)
            if len(self._events) > self._events_max or self.size > BUFFER_BYTES:
                self._collapse()
        else:
            self._merge(workspace_id, revision, event)

    def forget(self, workspace_id: UUID) -> None:
        """Drop what waits of a workspace."""
        kept = [event for event in self._events if event[0] != workspace_id]
        self._events = deque(kept)
        self._updates.pop(workspace_id, None)
        self._revisions.pop(workspace_id, None)
        self.size = sum(len(event[2]) for event in kept) + sum(map(len, self._updates.values()))

    def take(self) -> bytes | None:
        """The next event to tell, or ``None``."""
        if self._events:
            event = self._events.popleft()[2]
            self.size -= len(event)
            return event
        if self._updates:
            event = self._updates.pop(next(iter(self._updates)))
            self.size -= len(event)
            return event
        if self._revisions:
            workspace_id = next(iter(self._revisions))
            return hint(workspace_id, self._revisions.pop(workspace_id))
        self.collapsed = False
        return None

    def _collapse(self) -> None:
        events, self._events = self._events, deque()
        self.collapsed = True
        self.size = 0
        for event in events:
            self._merge(*event)

    def _merge(self, workspace_id: UUID, revision: int | None, event: bytes) -> None:
        if revision is None:
            # Only the latest: it says all that the ones before it said.
            self.size += len(event) - len(self._updates.get(workspace_id, b""))
            self._updates[workspace_id] = event
        else:
            self._revisions[workspace_id] = max(revision, self._revisions.get(workspace_id, 0))


@implementer(IPushProducer)
@define(eq=False)
class EventStream:
    """An answer without an end.

    :param heartbeat: seconds from one comment line to the next.
    :param ended: called once, when the stream is over, whoever ended it.
    :ivar workspace_ids: the workspaces that it tells of.
    :ivar held: what its client has been told that the account has; ``None`` before hello.
    :ivar is_cut: the sign-in that it was opened by holds no more.
    """

    account_id: UUID
    _clock: IReactorTime
    _request: ApiRequest
    _heartbeat: float
    _events_max: int
    _ended: Callable[[EventStream], None]
    workspace_ids: set[UUID] = field(init=False, factory=set)
    held: Holdings | None = field(init=False, default=None)
    is_cut: bool = field(init=False, default=False)
    _revisions: dict[UUID, int] = field(init=False, factory=dict)
    waiting: Waiting = field(init=False)
    _paused: bool = field(init=False, default=True)
    _started: bool = field(init=False, default=False)
    _paused_beats: int = field(init=False, default=0)
    _beat_call: IDelayedCall | None = field(init=False, default=None)
    _over: bool = field(init=False, default=False)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self.waiting = Waiting(self._events_max)
        self._request.notifyFinish().addBoth(self._finished)

    def start(self, hello: bytes) -> None:
        """Say hello, then what was told meanwhile, then whatever comes."""
        if self._over:
            return
        self._started = True
        self._paused = False
        self._request.registerProducer(self, True)
        self._request.write(hello)
        self._beat_call = self._clock.callLater(self._heartbeat, self._beat)
        self._flush()

    def tell(self, workspace_id: UUID, revision: int | None, event: bytes) -> None:
        """Tell an event now, or when the client reads on; see :meth:`Waiting.add`."""
        if self._over:
            return
        if revision is not None:
            self.knows(workspace_id, revision)
        if self._paused:
            self.waiting.add(workspace_id, revision, event)
        else:
            self._request.write(event)

    def knows(self, workspace_id: UUID, revision: int) -> None:
        """The client has been told of this revision."""
        self._revisions[workspace_id] = max(revision, self._revisions.get(workspace_id, 0))

    def revision(self, workspace_id: UUID) -> int:
        """The newest revision that the client has been told of."""
        return self._revisions.get(workspace_id, 0)

    def forget(self, workspace_id: UUID) -> None:
        """Tell nothing of a workspace that has not been told yet."""
        self._revisions.pop(workspace_id, None)
        self.waiting.forget(workspace_id)

    def end(self) -> None:
        """End the answer properly.  A stream that has not started is for its resource to end."""
        self._end(GOODBYE)

    def cut(self) -> None:
        """End because the sign-in holds no more; at once, if the client does not read.

        A stream that has not started is for its resource to end.
        """
        self.is_cut = True
        if self._started and not self._over and self._paused:
            self._request.abort()
        else:
            self._end(CUT)

    def _end(self, goodbye: bytes) -> None:
        if self._over or not self._started:
            return
        if not self._paused:
            self._request.write(goodbye)
        self._request.unregisterProducer()
        self._request.finish()

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self._paused_beats = 0
        self._flush()

    def stopProducing(self) -> None:
        self._paused = True

    def _flush(self) -> None:
        while not self._paused:
            event = self.waiting.take()
            if event is None:
                break
            self._request.write(event)

    def _beat(self) -> None:
        self._beat_call = self._clock.callLater(self._heartbeat, self._beat)
        if self._paused:
            self._paused_beats += 1
            if self._paused_beats >= PAUSED_BEATS_MAX:
                self._log.info(
                    "event stream of {account_id} from {peer} is dropped: it has read nothing "
                    "for {seconds} s",
                    account_id=self.account_id,
                    peer=self._request.peer,
                    seconds=self._paused_beats * self._heartbeat,
                )
                self._request.abort()
        else:
            self._request.write(HEARTBEAT)

    def _finished(self, _: object) -> None:
        self._over = True
        if self._beat_call is not None:
            self._beat_call.cancel()
            self._beat_call = None
        self.waiting = Waiting(self._events_max)
        self._ended(self)
