"""Hints between the server's instances, by PostgreSQL's NOTIFY.

A hint says that a workspace has reached a revision, and whether the devices on
the broker know; or that an account's workspaces or proposals are others now; or that some
of the ways in which an account had signed in hold no more.
Hints are gathered by the caller and sent in a statement of
their own: a NOTIFY within the committing transaction would take a lock that
all commits share.  Those about sign-ins are the exception: the database sends
them itself (``sign_ins_changed``), for nothing may come between the end of a
sign-in and the telling of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from stacksync.db.connection import CONNECT_TIMEOUT, Connection, first_line, uncancelled
from stacksync.db.database import Database
from stacksync.db.pool import backoff

log = Logger()

CHANNEL = "stacksync_hints"

HINTS_PER_PAYLOAD = 140
"""A payload may hold 7,999 bytes; a hint takes 53 at the most."""

TOLD, UNTOLD = "told", "untold"
ACCOUNTS = "accounts"
"""Between the sender and accounts; who knows revisions alone passes such a payload over."""

SIGN_INS = "sign-ins"
"""Between the sender, which is the database itself, and the account."""

Heard = Callable[[UUID, int, bool], None]
"""Takes a workspace, its revision, and whether everybody else knows of it."""

HeardAccount = Callable[[UUID], None]


class HintChannel:
    """Sends hints to the other instances and hears theirs."""

    def __init__(self, reactor: Any, database: Database) -> None:
        self._reactor = reactor
        self._database = database
        self._sender = uuid4().hex[:8]
        self._listening: Deferred[None] | None = None

    async def send(self, revisions: Mapping[UUID, int], *, told: bool) -> None:
        """Tell the other instances which workspaces have reached which revision.

        :param told: whether this instance could tell everybody that it had to.
        """
        await self._notify(encode(self._sender, told, revisions))

    async def send_accounts(self, account_ids: Collection[UUID]) -> None:
        """Tell the other instances whose workspaces or proposals are others now."""
        await self._notify(encode_accounts(self._sender, account_ids))

    async def _notify(self, payloads: Iterable[str]) -> None:
        await self._database.query(
            "send hints",
            "SELECT pg_notify(%s, payload) FROM unnest(%s) AS payload",
            [CHANNEL, list(payloads)],
            repeatable=True,
        )

    def start(
        self,
        heard: Heard,
        missed: Callable[[], None],
        heard_account: HeardAccount,
        heard_sign_ins: HeardAccount,
        begun: Callable[[], None] = lambda: None,
    ) -> None:
        """Listen until :meth:`stop`.

        :param heard: called with each hint at a revision of another instance.
        :param heard_account: called with each account that another instance hints at.
        :param heard_sign_ins: called with each account some of whose sign-ins hold no more,
            whoever has ended them.
        :param missed: called when hints may have been missed, because the
            connection was lost and is up again.
        :param begun: called when the connection is up for the first time: nothing that others
            have told since the start was heard.
        """

        def hear(payload: str) -> None:
            self._hear(payload, heard, heard_account, heard_sign_ins)

        self._listening = Deferred.fromCoroutine(self._listen(hear, missed, begun))
        self._listening.addErrback(lambda failure: failure.trap(CancelledError) and None)

    def stop(self) -> None:
        if self._listening is not None:
            self._listening.cancel()

    async def _listen(
        self, hear: Callable[[str], None], missed: Callable[[], None], begun: Callable[[], None]
    ) -> None:
        attempt = 0
        was_lost = False
        while True:
            connection = Connection(self._reactor)
            lost: Deferred[BaseException] = Deferred()
            connection.on_lost = lambda _, error, lost=lost: lost.callback(error)
            try:
                await connection.open(self._database.dsn, self._reactor)
                connection.addNotifyObserver(lambda notify: hear(notify.payload))
                listening = uncancelled(connection.rows(f"LISTEN {CHANNEL}", ()))
                await listening.addTimeout(CONNECT_TIMEOUT, self._reactor)
                attempt = 0
                (missed if was_lost else begun)()
                was_lost = True
                problem = await lost
            except CancelledError:
                raise
            except Exception as error:
                problem = error
            finally:
                connection.on_lost = None
                connection.close()
            log.debug("hints: {problem}; trying again", problem=first_line(problem))
            attempt += 1
            await deferLater(self._reactor, backoff(attempt))

    def _hear(
        self,
        payload: str,
        heard: Heard,
        heard_account: HeardAccount,
        heard_sign_ins: HeardAccount,
    ) -> None:
        try:
            if kind_of(payload) == SIGN_INS:
                for account_id in decode_accounts(payload)[1]:
                    heard_sign_ins(account_id)
                return
            if kind_of(payload) == ACCOUNTS:
                sender, account_ids = decode_accounts(payload)
                for account_id in account_ids if sender != self._sender else ():
                    heard_account(account_id)
                return
            sender, told, hints = decode(payload)
        except ValueError:
            log.debug("hints: {payload} is none", payload=payload)
            return
        if sender != self._sender:
            for workspace_id, revision in hints:
                heard(workspace_id, revision, told)


def encode(sender: str, told: bool, revisions: Mapping[UUID, int]) -> Iterator[str]:
    """Payloads ``sender told workspace:revision …``, each short enough for NOTIFY."""
    hints = iter(revisions.items())
    while some := list(islice(hints, HINTS_PER_PAYLOAD)):
        told_hints = [f"{workspace.hex}:{revision}" for workspace, revision in some]
        yield " ".join([sender, TOLD if told else UNTOLD, *told_hints])


def decode(payload: str) -> tuple[str, bool, Iterable[tuple[UUID, int]]]:
    """:raises ValueError: the payload is none of ours."""
    sender, told, *hints = payload.split(" ")
    if told not in (TOLD, UNTOLD):
        raise ValueError(told)
    pairs = (hint.split(":") for hint in hints)
    return sender, told == TOLD, [(UUID(workspace), int(made)) for workspace, made in pairs]


def encode_accounts(sender: str, account_ids: Iterable[UUID]) -> Iterator[str]:
    """Payloads ``sender accounts account …``, each short enough for NOTIFY."""
    rest = iter(account_ids)
    while some := list(islice(rest, HINTS_PER_PAYLOAD)):
        yield " ".join([sender, ACCOUNTS, *(account_id.hex for account_id in some)])


def kind_of(payload: str) -> str:
    """What stands after the sender."""
    return payload.partition(" ")[2].partition(" ")[0]


def decode_accounts(payload: str) -> tuple[str, list[UUID]]:
    """:raises ValueError: the payload is none of ours."""
    sender, _, *account_ids = payload.split(" ")
    return sender, [UUID(account_id) for account_id in account_ids]
