"""The open event streams of one account, kept up with what it takes part in.

Whatever touches an account makes its streams look again, and tell what is
other than before: one mechanism for what this instance has done, what others
have, and what nobody could be told of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from stacksync.errors import StackSyncError
from stacksync.protocols.http.events.event_stream import hint
from stacksync.protocols.http.events.holdings import (
    Holdings,
    gone_event,
    look,
    proposal_event,
    unshare_event,
    workspace_event,
)

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.events import Unshared, WorkspaceUpdated
    from stacksync.model import Principal, Workspace
    from stacksync.protocols.http.events.event_stream import EventStream
    from stacksync.protocols.http.events.followers import Followers
    from stacksync.protocols.http.events.holdings import ReadHoldings

RETRY = 1.0
"""Seconds to the next try where the account could not be looked at."""


@define(eq=False)
class AccountStreams:
    """Streams of an account, and what is being found out for them.

    A stream that has not said hello yet looks for itself.
    """

    principal: Principal
    _clock: IReactorTime
    _read: ReadHoldings
    _followers: Followers
    streams: set[EventStream] = field(init=False, factory=set)
    _touches: int = field(init=False, default=0)
    _looking: Deferred[None] | None = field(init=False, default=None)
    _request_ids: dict[UUID, str] = field(init=False, factory=dict)
    """By workspace: what has brought about what is still to be looked at."""
    _log = Logger()

    async def prepare(self, stream: EventStream) -> Holdings:
        """What a new stream begins with; from now on it hears of the workspaces in it.

        It follows them first, then reads the revisions: no commit falls between the two.
        """
        while True:
            touches = self._touches
            found = await self._read(self.principal)
            new = found.workspaces.keys() - stream.workspace_ids
            for workspace_id in new:
                self._followers.add(workspace_id, stream)
            if not new and touches == self._touches:
                break
        for workspace_id in stream.workspace_ids - found.workspaces.keys():
            self._followers.remove(workspace_id, stream)
        stream.held = found
        for workspace in found.workspaces.values():
            stream.knows(workspace.id, workspace.latest_revision)
        return found

    def updated(self, event: WorkspaceUpdated) -> None:
        """Tell of a workspace that the streams have; look, where they have it not."""
        workspace = event.workspace
        for stream in tuple(self.streams):
            if stream.held is not None and workspace.id in stream.held.workspaces:
                stream.held = stream.held.having(workspace)
                stream.tell(workspace.id, None, workspace_event(workspace, event.request_id))
            else:
                self._request_ids[workspace.id] = event.request_id
        self.touch()

    def unshared(self, event: Unshared) -> None:
        """Tell nothing more of a workspace, from now on."""
        for stream in tuple(self.streams):
            held = stream.held
            if held is not None and event.workspace_id in held.workspaces:
                stream.held = held.without(event.workspace_id)
                self._lose(stream, event.workspace_id, unshare_event(event))
            else:
                self._followers.remove(event.workspace_id, stream)
        self.touch()

    def touch(self) -> None:
        """Look again.  What comes while that is going on is one look more."""
        self._touches += 1
        if self._looking is None and self.streams:
            looking = Deferred.fromCoroutine(self._look())
            if not looking.called:
                self._looking = looking
            looking.addErrback(self._failed)

    async def looked(self) -> None:
        """Wait until nobody is looking any more."""
        while self._looking is not None:
            seen: Deferred[None] = Deferred()
            self._looking.addBoth(passed_on, seen)
            await seen

    def stop(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()

    async def _look(self) -> None:
        try:
            while True:
                touches = self._touches
                found = await self._try_to_read()
                # What was read before a touch may be from before what has touched it.
                if found is not None and touches == self._touches and not self._tell(found):
                    return
        finally:
            self._looking = None

    async def _try_to_read(self) -> Holdings | None:
        try:
            return await self._read(self.principal)
        except StackSyncError as error:
            self._log.info(
                "event streams of {account_id} could not look at it: {problem}",
                account_id=self.principal.account_id,
                problem=str(error),
            )
        await deferLater(self._clock, RETRY)
        return None

    def _tell(self, found: Holdings) -> bool:
        """Tell every stream what is other than before; whether one has to look once more."""
        has_new = False
        for stream in tuple(self.streams):
            if stream.held is not None:
                has_new |= self._tell_one(stream, stream.held, found)
        self._request_ids.clear()
        return has_new

    def _tell_one(self, stream: EventStream, held: Holdings, found: Holdings) -> bool:
        stream.held = found
        has_new = False
        for workspace_id in held.workspaces.keys() - found.workspaces.keys():
            self._lose(stream, workspace_id, gone_event(held.workspaces[workspace_id]))
        for workspace in found.workspaces.values():
            before = held.workspaces.get(workspace.id)
            if before is None:
                # What is committed until it is followed is told by the next look.
                self._followers.add(workspace.id, stream)
                stream.knows(workspace.id, workspace.latest_revision)
                has_new = True
            self._tell_workspace(stream, before, workspace)
        for proposal_id in found.proposals.keys() - held.proposals.keys():
            stream.tell(proposal_id, None, proposal_event(found.proposals[proposal_id]))
        return has_new

    def _tell_workspace(
        self, stream: EventStream, before: Workspace | None, workspace: Workspace
    ) -> None:
        if before is None or look(before) != look(workspace):
            request_id = self._request_ids.get(workspace.id)
            stream.tell(workspace.id, None, workspace_event(workspace, request_id))
        if workspace.latest_revision > stream.revision(workspace.id):
            revision = workspace.latest_revision
            stream.tell(workspace.id, revision, hint(workspace.id, revision))

    def _lose(self, stream: EventStream, workspace_id: UUID, event: bytes) -> None:
        self._followers.remove(workspace_id, stream)
        stream.forget(workspace_id)
        stream.tell(workspace_id, None, event)

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("event streams could not be kept up", failure)


def passed_on(outcome: object, waiting: Deferred[None]) -> object:
    """Tell somebody who waits that it is over, and leave the outcome to others."""
    waiting.callback(None)
    return outcome
