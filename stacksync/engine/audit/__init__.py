"""The audit: who signed in, was refused, shared, or changed accounts, tokens and passwords.

Each event becomes a line of a table, which ``stacksync-admin audit`` reads, and
a structured event of the log (namespace ``stacksync.audit``).  Changes are
written in the transaction that makes them: what is committed is in the audit,
and what is rolled back is not.  Sign-ins and refusals are many and change
nothing: they are noted in memory, and written every second.  No password,
token, secret or hash may be handed to it.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Any
from uuid import UUID

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.logger import Logger

from stacksync.db.audit import AuditFilter, AuditTable
from stacksync.db.database import Database, Transaction
from stacksync.engine.audit.log import log_event
from stacksync.engine.audit.notes import AuditNotes, Gathered
from stacksync.engine.audit.recent_sign_ins import RecentSignIns
from stacksync.engine.audit.texts import clean
from stacksync.engine.recurring import Recurring
from stacksync.errors import Unavailable
from stacksync.model import AuditEvent, AuditKind, Principal

log = Logger()

FLUSH_INTERVAL = 1.0
"""Seconds for which refusals that are alike are told as one."""

PRUNE_INTERVAL = 3600.0

UNWRITTEN = 10_000
"""Lines that wait for a database that is away."""

WRITTEN_AT_ONCE = 1000

STOP_TIMEOUT = 5.0
"""Seconds that the last lines may take when the service stops."""


@define(eq=False)
class Audit:
    """Writes the audit.

    :param reactor: keeps the time.
    :param keep: seconds after which a line is removed; 0: never.
    """

    _reactor: Any
    _database: Database
    _table: AuditTable
    _keep: float = 0.0
    _notes: AuditNotes = field(init=False, factory=AuditNotes)
    _unwritten: deque[Gathered] = field(init=False, factory=deque)
    _recent: RecentSignIns = field(init=False, factory=RecentSignIns)
    _dropped: int = field(init=False, default=0)
    _writing: DeferredLock = field(init=False, factory=DeferredLock)
    _flushing: Recurring = field(init=False)
    _pruning: Recurring = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._flushing = Recurring(self._reactor, "audit", FLUSH_INTERVAL, self.flush)
        self._pruning = Recurring(self._reactor, "audit", PRUNE_INTERVAL, self._prune)

    def start(self) -> None:
        """Begin to write what is noted, and to remove what is old."""
        self._flushing.start()
        self._pruning.start(now=True)

    async def stop(self) -> None:
        """Write what was noted, unless that takes too long, and end."""
        self._flushing.stop()
        self._pruning.stop()
        with suppress(DeferredTimeout):
            await Deferred.fromCoroutine(self.flush()).addTimeout(STOP_TIMEOUT, self._reactor)
        if self._unwritten:
            log.warn(
                "audit: the database is away, and the log alone has the last lines ({lost})",
                lost=len(self._unwritten),
            )
            self._unwritten.clear()

    async def record(self, event: AuditEvent) -> None:
        """Write an event of its own.

        :raises Unavailable: the database is away.
        """

        async def work(transaction: Transaction) -> None:
            await self.record_in(transaction, event)

        await self._database.transaction("write audit", work)

    async def record_in(self, transaction: Transaction, event: AuditEvent) -> None:
        """Write an event with the change that it is about, if that is committed."""
        written = await self._table.add(transaction, clean(event))
        transaction.after_commit(lambda: log_event(written))

    async def record_done(
        self,
        transaction: Transaction,
        kind: AuditKind,
        principal: Principal,
        account_id: UUID | None = None,
        /,
        **detail: Any,
    ) -> None:
        """Write what a principal has done, with the change itself.

        :param account_id: whose account it is about, if that is not the principal's own;
            the detail then has as ``by`` who did it.
        """
        about = account_id or principal.account_id
        if about != principal.account_id:
            detail["by"] = principal.account_id
        event = AuditEvent(
            kind, about, address=principal.address, sign_in=principal.sign_in, detail=detail
        )
        await self.record_in(transaction, event)

    def note(self, event: AuditEvent) -> None:
        """Take note of a sign-in or a refusal; it is written within a second or so.

        Refusals that are alike become one line with their number; of sign-ins see
        :mod:`.recent_sign_ins`.
        """
        event = clean(event)
        now = self._reactor.seconds()
        if event.kind is AuditKind.SIGNED_IN and not self._recent.is_news(event, now):
            return
        if event.kind is AuditKind.REFUSED and event.account_id is not None:
            self._recent.refused(event.account_id)
        self._notes.add(event, now)

    async def latest(self, wanted: AuditFilter, limit: int) -> tuple[AuditEvent, ...]:
        """At most ``limit`` lines that have been written, newest first."""
        return await self._table.page(wanted, limit)

    async def flush(self) -> None:
        """Write what was noted.  What can't be written now is tried again by the next one."""
        await self._writing.run(lambda: Deferred.fromCoroutine(self._flush()))

    async def prune(self, *, dry_run: bool = False) -> int:
        """Remove the lines that are older than they are kept, or only count them; how many.

        Several instances do no harm to each other.

        :raises Unavailable: the database is away.
        """
        if not self._keep:
            return 0
        if dry_run:
            return await self._table.older_than(self._keep)
        removed = 0
        while pruned := await self._table.prune(self._keep):
            removed += pruned
        return removed

    async def _prune(self) -> None:
        removed = await self.prune()
        if removed:
            log.info("audit: {removed} old lines were removed", removed=removed)

    async def _flush(self) -> None:
        for gathered in self._notes.take():
            log_event(gathered.event)
            self._unwritten.append(gathered)
        self._dropped += self._notes.dropped
        self._notes.dropped = 0
        while len(self._unwritten) > UNWRITTEN:
            self._dropped += self._unwritten.popleft().event.count
        try:
            while self._unwritten or self._dropped:
                await self._write_some()
        except CancelledError:
            raise
        except Unavailable as error:
            log.debug("audit: {problem}", problem=str(error))
        except Exception:
            # None of them can be written, or all of them would have to wait for this one.
            self._unwritten.clear()
            log.failure("audit: what was noted could not be written, and is in the log alone")

    async def _write_some(self) -> None:
        now = self._reactor.seconds()
        some = [
            self._unwritten.popleft() for _ in range(min(WRITTEN_AT_ONCE, len(self._unwritten)))
        ]
        lost, self._dropped = self._dropped, 0
        lines = [(each.event, now - each.since) for each in some]
        if lost:
            lines.append((AuditEvent(AuditKind.EVENTS_LOST, count=lost), 0.0))
        try:
            await self._table.add_many(lines)
        except BaseException:
            self._unwritten.extendleft(reversed(some))
            self._dropped += lost
            raise
        if lost:
            log_event(lines[-1][0])


def audit_on(reactor: Any, database: Database, keep: float = 0.0) -> Audit:
    """An audit in a database; :meth:`Audit.start` is left to do."""
    return Audit(reactor, database, AuditTable(database), keep)
