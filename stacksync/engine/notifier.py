"""Tells what happened: to this instance's front-ends, and to the other instances.

A notification is a hint and harmless twice, so what could not be told is told
again later rather than kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol
from uuid import UUID

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from stacksync.errors import Unavailable
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

log = Logger()

REMEMBERED = 120.0
"""Seconds for which an announced revision is remembered."""


class HintSender(Protocol):
    """Reaches the other instances; :class:`stacksync.db.hints.HintChannel` does."""

    async def send(self, revisions: Mapping[UUID, int], *, told: bool) -> None: ...
    async def send_accounts(self, account_ids: Collection[UUID]) -> None: ...


class Notifier:
    """Hands events to the sinks that front-ends subscribe.

    :param gather: seconds for which hints to other instances are gathered, to
        be sent in one go.
    """

    def __init__(self, reactor: Any, hints: HintSender, gather: float) -> None:
        self._reactor = reactor
        self._hints = hints
        self._gather = gather
        self._sinks: list[IEventSink] = []
        self._when_missed: dict[IEventSink, Callable[[], None]] = {}
        self._gathered: dict[bool, dict[UUID, int]] = {True: {}, False: {}}
        """Revisions to hint at, by whether every sink has told its devices."""
        self._touched: set[UUID] = set()
        """Accounts to hint at."""
        self._sending: IDelayedCall | None = None
        self._announced: dict[UUID, tuple[int, float]] = {}

    def subscribe(self, sink: IEventSink, missed: Callable[[], None] | None = None) -> None:
        """Hand every event from now on to this sink, too.

        :param missed: called when hints of other instances may have been missed.
        """
        self._sinks.append(sink)
        if missed is not None:
            self._when_missed[sink] = missed

    def unsubscribe(self, sink: IEventSink) -> None:
        self._when_missed.pop(sink, None)
        if sink in self._sinks:
            self._sinks.remove(sink)

    async def announce(self, event: Event) -> None:
        """Return when every sink has told its devices.

        :raises Unavailable: a sink could not; the others have done what they could.
        """
        telling = [Deferred.fromCoroutine(sink.announce(event)) for sink in self._sinks]
        outcomes: list[tuple[bool, Any]] = await DeferredList(telling, consumeErrors=True)
        failures = [outcome for succeeded, outcome in outcomes if not succeeded]
        if isinstance(event, Committed) and any(o.committed for o in event.result.outcomes):
            # The event streams of other instances need no broker to hear of it.
            self._hint(event.result.workspace_id, event.result.revision, told=not failures)
            if not failures:
                self.remember(event.result.workspace_id, event.result.revision)
        self._hint_accounts(accounts_of(event))
        for failure in failures:
            failure.raiseException()

    def announce_later(self, event: Event) -> None:
        """Announce in the background; a failure is logged, and the sweep tries again."""

        def failed(failure: Failure) -> None:
            if failure.check(Unavailable):
                log.info("not announced now: {problem}", problem=str(failure.value))
            else:
                log.failure("could not announce", failure)

        Deferred.fromCoroutine(self.announce(event)).addErrback(failed)

    def remember(self, workspace_id: UUID, revision: int) -> None:
        """Note that the devices know of this revision."""
        known, _ = self._announced.get(workspace_id, (0, 0.0))
        self._announced[workspace_id] = (max(known, revision), self._reactor.seconds())

    def announced(self, workspace_id: UUID) -> int | None:
        """The newest revision known to be announced lately, by whatever instance."""
        known = self._announced.get(workspace_id)
        return known[0] if known is not None else None

    def forget_old(self) -> None:
        """Drop what was announced more than :data:`REMEMBERED` seconds ago."""
        horizon = self._reactor.seconds() - REMEMBERED
        self._announced = {k: v for k, v in self._announced.items() if v[1] >= horizon}

    def heard(self, workspace_id: UUID, revision: int, told: bool) -> None:
        """Another instance has made this revision: tell our event streams.

        :param told: whether it could tell everybody else.
        """
        if told:
            self.remember(workspace_id, revision)
        self.announce_later(WorkspaceTouched(workspace_id, revision))

    def heard_account(self, account_id: UUID) -> None:
        """Another instance has told this account's devices of something: tell our event streams."""
        self.announce_later(SharesTouched(account_id))

    def heard_sign_ins(self, account_id: UUID) -> None:
        """Some sign-ins of this account hold no more: our event streams have to look."""
        self.announce_later(SignInsChanged(account_id))

    def missed(self) -> None:
        """Hints of other instances may have been missed: whoever leans on them has to look."""
        for look in list(self._when_missed.values()):
            look()

    def touched(self, workspace_id: UUID, revision: int) -> None:
        """A workspace has got to this revision, and there is no item of it to tell."""
        self.remember(workspace_id, revision)
        self._hint(workspace_id, revision, told=True)
        self.announce_later(WorkspaceTouched(workspace_id, revision))

    def stop(self) -> None:
        """Send the gathered hints no more."""
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def _hint(self, workspace_id: UUID, revision: int, *, told: bool) -> None:
        gathered = self._gathered[told]
        gathered[workspace_id] = max(revision, gathered.get(workspace_id, 0))
        self._send_soon()

    def _hint_accounts(self, account_ids: Collection[UUID]) -> None:
        if account_ids:
            self._touched.update(account_ids)
            self._send_soon()

    def _send_soon(self) -> None:
        if self._sending is None:
            self._sending = self._reactor.callLater(self._gather, self._send_hints)

    def _send_hints(self) -> None:
        self._sending = None

        def failed(failure: Failure) -> None:
            log.info("hints not sent: {problem}", problem=str(failure.value))

        for told, gathered in self._gathered.items():
            if gathered:
                self._gathered[told] = {}
                sending = self._hints.send(gathered, told=told)
                Deferred.fromCoroutine(sending).addErrback(failed)
        if self._touched:
            touched, self._touched = self._touched, set()
            telling = self._hints.send_accounts(touched)
            Deferred.fromCoroutine(telling).addErrback(failed)


def accounts_of(event: Event) -> tuple[UUID, ...]:
    """Whose workspaces or proposals an event changes, for the event streams of other instances."""
    if isinstance(event, ShareProposed):
        return event.account_ids
    if isinstance(event, WorkspaceUpdated | Unshared):
        return (event.account_id,)
    return ()
