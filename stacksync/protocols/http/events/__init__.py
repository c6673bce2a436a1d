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

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from zope.interface import implementer

from stacksync.errors import NotAuthenticated, TooManyRequests
from stacksync.events import (
    Committed,
    Event,
    ShareProposed,
    SharesTouched,
    SignInsChanged,
    Unshared,
    WorkspaceTouched,
    WorkspaceUpdated,
)
from stacksync.interfaces import IEventSink
from stacksync.protocols.http.answer import Answer
from stacksync.protocols.http.content.transfers import HOLDS_NO_MORE
from stacksync.protocols.http.errors import Refusal
from stacksync.protocols.http.events.account_streams import AccountStreams
from stacksync.protocols.http.events.event_stream import EventStream, frame, hint
from stacksync.protocols.http.events.followers import Followers
from stacksync.protocols.http.events.holdings import hello_event
from stacksync.protocols.http.events.sign_ins import StreamSignIns
from stacksync.protocols.http.head import common_headers
from stacksync.protocols.http.resource import ApiResource
from stacksync.protocols.http.resources.commits import encode_result

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.config import HttpConfig
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import CommitResult, Principal
    from stacksync.protocols.http.events.holdings import Holdings, ReadHoldings
    from stacksync.protocols.http.events.sign_ins import Holds
    from stacksync.protocols.http.request import ApiRequest

EVENT_BYTES = 256 * 1024
"""A larger commit is told as a bare hint, so that no buffer holds more than this at once."""

STREAM_RETRY = 30.0
"""Seconds after which another stream may have ended."""

RETRY_AFTER = ((b"Retry-After", b"%d" % STREAM_RETRY),)


@implementer(IEventSink)
@define(eq=False)
class EventStreams:
    """All open streams, found by workspace and by account.

    :param account_max: how many of them an account may have.
    :ivar sign_ins: those by which they were opened.
    """

    _clock: IReactorTime
    _settings: HttpConfig
    _read: ReadHoldings
    _account_max: int = 100
    _holds: Holds = field(kw_only=True)
    name: str = field(init=False, default="event streams")
    _streams: set[EventStream] = field(init=False, factory=set)
    _followers: Followers = field(init=False, factory=Followers)
    _by_account: dict[UUID, AccountStreams] = field(init=False, factory=dict)
    _refreshing: Deferred[None] | None = field(init=False, default=None)
    _misses: int = field(init=False, default=0)
    sign_ins: StreamSignIns = field(init=False)
    stopped: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self.sign_ins = StreamSignIns(self._clock, self._holds)

    def __len__(self) -> int:
        return len(self._streams)

    def open(self, request: ApiRequest, principal: Principal) -> EventStream:
        """Make a stream, which has to be prepared before it starts.

        :raises Refusal: there are as many as there may be, or the server stops.
        :raises TooManyRequests: the account has as many as it may have.
        """
        if self.stopped:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the server stops", RETRY_AFTER)
        if len(self._streams) >= self._settings.event_streams_max:
            raise Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE, "too many event streams are open", RETRY_AFTER
            )
        account = self._by_account.get(principal.account_id)
        if account is not None and len(account.streams) >= self._account_max:
            raise TooManyRequests(
                f"this account has {len(account.streams)} event streams open, as many as may be",
                STREAM_RETRY,
            )
        stream = EventStream(
            principal.account_id,
            self._clock,
            request,
            self._settings.event_heartbeat,
            self._settings.event_buffer,
            self._remove,
        )
        if account is None:
            account = AccountStreams(principal, self._clock, self._read, self._followers)
            self._by_account[principal.account_id] = account
        self._streams.add(stream)
        account.streams.add(stream)
        self.sign_ins.add(stream, principal)
        return stream

    async def prepare(self, stream: EventStream) -> Holdings:
        """Let a stream hear of what its account has; what it begins with."""
        return await self._by_account[stream.account_id].prepare(stream)

    async def announce(self, event: Event) -> None:
        """See :class:`~stacksync.interfaces.IEventSink`; each commit is encoded once."""
        if isinstance(event, Committed):
            self._tell_commit(event.result)
        elif isinstance(event, WorkspaceTouched):
            self._tell(
                self._followers.of(event.workspace_id),
                event.workspace_id,
                event.revision,
                hint(event.workspace_id, event.revision),
            )
        elif isinstance(event, ShareProposed):
            for account_id in event.account_ids:
                self._touch(account_id)
        elif isinstance(event, SharesTouched):
            self._touch(event.account_id)
        elif isinstance(event, SignInsChanged):
            self.sign_ins.changed(event.account_id)
        elif (account := self._by_account.get(event.account_id)) is not None:
            if isinstance(event, WorkspaceUpdated):
                account.updated(event)
            elif isinstance(event, Unshared):
                account.unshared(event)

    def refresh(self) -> None:
        """Look again at what all accounts have: something may have been missed."""
        self._misses += 1
        if self._refreshing is None and not self.stopped:
            refreshing = Deferred.fromCoroutine(self._refresh())
            if not refreshing.called:
                self._refreshing = refreshing
            refreshing.addErrback(lambda failure: failure.trap(CancelledError) and None)

    async def _refresh(self) -> None:
        """One account after the other, so that a thousand don't ask at once."""
        misses = 0
        try:
            # Who was looked at first has been before what was missed last.
            while misses != self._misses:
                misses = self._misses
                for account in list(self._by_account.values()):
                    account.touch()
                    await account.looked()
        finally:
            self._refreshing = None

    def stop(self) -> None:
        """End all streams, and open no more."""
        self.stopped = True
        if self._refreshing is not None:
            self._refreshing.cancel()
        for account in list(self._by_account.values()):
            account.stop()
        for stream in list(self._streams):
            stream.end()

    def _touch(self, account_id: UUID) -> None:
        account = self._by_account.get(account_id)
        if account is not None:
            account.touch()

    def _tell_commit(self, result: CommitResult) -> None:
        streams = self._followers.of(result.workspace_id)
        # Who was refused has been told in the answer, and nobody else is concerned.
        if not streams or not any(outcome.committed for outcome in result.outcomes):
            return
        event = frame("commit", encode_result(result))
        if len(event) > EVENT_BYTES:
            event = hint(result.workspace_id, result.revision)
        self._tell(streams, result.workspace_id, result.revision, event)

    @staticmethod
    def _tell(
        streams: Iterable[EventStream], workspace_id: UUID, revision: int | None, event: bytes
    ) -> None:
        # A copy, because a stream that ends takes itself out.
        for stream in tuple(streams):
            stream.tell(workspace_id, revision, event)

    def _remove(self, stream: EventStream) -> None:
        self._streams.discard(stream)
        self._followers.drop(stream)
        self.sign_ins.drop(stream)
        account = self._by_account[stream.account_id]
        account.streams.discard(stream)
        if not account.streams:
            account.stop()
            del self._by_account[stream.account_id]


class EventsResource(ApiResource):
    """``GET /events``."""

    def __init__(self, authenticator: IAuthenticator, streams: EventStreams) -> None:
        super().__init__(authenticator, {b"GET": self._listen})
        self._streams = streams

    async def _listen(self, request: ApiRequest, principal: Principal) -> Answer | None:
        if request.method == b"HEAD":
            declare_stream(request)
            request.finish()
            return None
        stream = self._streams.open(request, principal)
        holdings = await self._streams.prepare(stream)
        # It may have ended after it was looked at, and before there was a stream to cut.
        if not await self._streams.sign_ins.holds(principal) or stream.is_cut:
            raise NotAuthenticated(HOLDS_NO_MORE)
        if self._streams.stopped:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the server stops", RETRY_AFTER)
        request.take_over()
        declare_stream(request)
        stream.start(hello_event(holdings))
        return None


def declare_stream(request: ApiRequest) -> None:
    for name, value in common_headers(request).items():
        request.setHeader(name, value)
    request.setHeader(b"Content-Type", b"text/event-stream")
    # Or nginx would keep events until it has a buffer full of them.
    request.setHeader(b"X-Accel-Buffering", b"no")
