"""``/events``: what happens in an account's workspaces, as it happens.

Server-sent events (HTML standard).  There are no ``id:`` lines and
``Last-Event-ID`` is not looked at: a single cursor cannot stand for several
workspaces, so a client keeps its revision of each, finds the newest in
``hello`` and asks ``/workspaces/:id/changes`` for what it missed.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
from attrs import define, field
from zope.interface import implementer

from stacksync.events import Committed, Event, WorkspaceTouched, WorkspaceUpdated
from stacksync.interfaces import IEventSink
from stacksync.protocols.http.answer import Answer
from stacksync.protocols.http.commits import encode_result
from stacksync.protocols.http.errors import Refusal
from stacksync.protocols.http.event_stream import EventStream, frame, hint
from stacksync.protocols.http.resource import ApiResource
from stacksync.protocols.http.workspaces import encode_workspace

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.config import HttpConfig
    from stacksync.engine.workspaces import Workspaces
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import CommitResult, Principal, Workspace
    from stacksync.protocols.http.request import ApiRequest

EVENT_BYTES = 256 * 1024
"""A larger commit is told as a bare hint, so that no buffer holds more than this at once."""

RETRY_AFTER = ((b"Retry-After", b"30"),)


@implementer(IEventSink)
@define(eq=False)
class EventStreams:
    """All open streams, found by workspace and by account."""

    _clock: IReactorTime
    _settings: HttpConfig
    name: str = field(init=False, default="event streams")
    _streams: set[EventStream] = field(init=False, factory=set)
    _by_workspace: dict[UUID, set[EventStream]] = field(init=False, factory=dict)
    _by_account: dict[UUID, set[EventStream]] = field(init=False, factory=dict)
    stopped: bool = field(init=False, default=False)

    def __len__(self) -> int:
        return len(self._streams)

    def open(self, request: ApiRequest, account_id: UUID) -> EventStream:
        """Make a stream; it hears of its account at once, of workspaces when they are added.

        :raises Refusal: there are as many as there may be, or the server stops.
        """
        if self.stopped:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the server stops", RETRY_AFTER)
        if len(self._streams) >= self._settings.event_streams_max:
            raise Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE, "too many event streams are open", RETRY_AFTER
            )
        stream = EventStream(
            account_id,
            self._clock,
            request,
            self._settings.event_heartbeat,
            self._settings.event_buffer,
            self._remove,
        )
        self._streams.add(stream)
        self._by_account.setdefault(account_id, set()).add(stream)
        return stream

    def add_workspaces(self, stream: EventStream, workspace_ids: Iterable[UUID]) -> None:
        """From now on the stream hears of these."""
        for workspace_id in workspace_ids:
            stream.workspace_ids.add(workspace_id)
            self._by_workspace.setdefault(workspace_id, set()).add(stream)

    async def announce(self, event: Event) -> None:
        """See :class:`~stacksync.interfaces.IEventSink`; each event is encoded once."""
        if isinstance(event, Committed):
            self._tell_commit(event.result)
        elif isinstance(event, WorkspaceUpdated):
            self._tell_update(event)
        elif isinstance(event, WorkspaceTouched):
            self._tell(
                self._by_workspace.get(event.workspace_id, ()),
                event.workspace_id,
                event.revision,
                hint(event.workspace_id, event.revision),
            )

    def stop(self) -> None:
        """End all streams, and open no more."""
        self.stopped = True
        for stream in list(self._streams):
            stream.end()

    def _tell_commit(self, result: CommitResult) -> None:
        streams = self._by_workspace.get(result.workspace_id)
        # Who was refused has been told in the answer, and nobody else is concerned.
        if not streams or not any(outcome.committed for outcome in result.outcomes):
            return
        event = frame("commit", encode_result(result))
        if len(event) > EVENT_BYTES:
            event = hint(result.workspace_id, result.revision)
        self._tell(streams, result.workspace_id, result.revision, event)

    def _tell_update(self, event: WorkspaceUpdated) -> None:
        streams = self._by_account.get(event.account_id)
        if not streams:
            return
        told = {"request_id": event.request_id, **encode_workspace(event.workspace)}
        self._tell(streams, event.workspace.id, None, frame("workspace", orjson.dumps(told)))

    @staticmethod
    def _tell(
        streams: Iterable[EventStream], workspace_id: UUID, revision: int | None, event: bytes
    ) -> None:
        # A copy, because a stream that ends takes itself out.
        for stream in tuple(streams):
            stream.tell(workspace_id, revision, event)

    def _remove(self, stream: EventStream) -> None:
        self._streams.discard(stream)
        drop(self._by_account, stream.account_id, stream)
        for workspace_id in stream.workspace_ids:
            drop(self._by_workspace, workspace_id, stream)


class EventsResource(ApiResource):
    """``GET /events``."""

    def __init__(
        self, authenticator: IAuthenticator, workspaces: Workspaces, streams: EventStreams
    ) -> None:
        super().__init__(authenticator, {b"GET": self._listen})
        self._workspaces = workspaces
        self._streams = streams

    async def _listen(self, request: ApiRequest, principal: Principal) -> Answer | None:
        if request.method == b"HEAD":
            declare_stream(request)
            request.finish()
            return None
        stream = self._streams.open(request, principal.account_id)
        workspaces = await self._subscribe(stream, principal)
        if self._streams.stopped:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the server stops", RETRY_AFTER)
        request.take_over()
        declare_stream(request)
        stream.start(encode_hello(workspaces))
        return None

    async def _subscribe(self, stream: EventStream, principal: Principal) -> tuple[Workspace, ...]:
        """Subscribe first, then read the revisions: no commit falls between the two."""
        while True:
            workspaces = await self._workspaces.list(principal)
            new = {workspace.id for workspace in workspaces} - stream.workspace_ids
            if not new:
                return workspaces
            self._streams.add_workspaces(stream, new)


def declare_stream(request: ApiRequest) -> None:
    request.setHeader(b"Server", b"StackSync")
    request.setHeader(b"Content-Type", b"text/event-stream")
    request.setHeader(b"Cache-Control", b"no-store")
    # Or nginx would keep events until it has a buffer full of them.
    request.setHeader(b"X-Accel-Buffering", b"no")


def encode_hello(workspaces: Iterable[Workspace]) -> bytes:
    return frame(
        "hello",
        orjson.dumps(
            {
                "workspaces": [
                    {"id": workspace.id, "revision": workspace.latest_revision}
                    for workspace in workspaces
                ]
            }
        ),
    )


def drop(index: dict[UUID, set[EventStream]], key: UUID, stream: EventStream) -> None:
    """Take a stream out of an index, and the key where it was the last."""
    streams = index.get(key)
    if streams is not None:
        streams.discard(stream)
        if not streams:
            del index[key]
