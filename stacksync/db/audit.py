"""Statements about the audit: lines are added, read and, when they are old, removed.

None is ever changed.  What is worth a line, and that nothing secret is in it, is
the engine's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import orjson
from attrs import frozen

from stacksync.db.connection import Row
from stacksync.db.database import Database, Transaction
from stacksync.model import AuditEvent, AuditKind, SignIn

COLUMNS = "id, at, kind, account_id, email, address, sign_in, detail, count"

# The account's own e-mail where nobody said one: it may be another one tomorrow.
ADD = f"""
    INSERT INTO audit_event AS a (at, kind, account_id, email, address, sign_in, detail, count)
    SELECT coalesce(e.at, statement_timestamp() - e.age * interval '1 second'), e.kind,
        e.account_id,
        coalesce(e.email, (SELECT email FROM account WHERE id = e.account_id)),
        e.address, e.sign_in, e.detail, e.count
    FROM ROWS FROM (jsonb_to_recordset(%s::jsonb) AS (at timestamptz, age float8, kind text,
        account_id uuid, email text, address text, sign_in text, detail jsonb, count integer))
        WITH ORDINALITY AS e(
            at, age, kind, account_id, email, address, sign_in, detail, count, place)
    ORDER BY e.place
    RETURNING {COLUMNS}
"""

PAGE = f"""
    SELECT {COLUMNS} FROM audit_event
    WHERE (%(account)s::uuid IS NULL AND %(email)s::text IS NULL OR account_id = %(account)s
            OR detail->>'by' = %(account)s::text OR lower(email) = lower(%(email)s))
        AND (%(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s))
        AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
        AND (%(at)s::timestamptz IS NULL OR (at, id) < (%(at)s, %(id)s))
    ORDER BY at DESC, id DESC LIMIT %(limit)s
"""

OLD = "at < now() - %s * interval '1 second'"

# In pieces, for nobody should wait for a year's removal.
PRUNE = f"""
    DELETE FROM audit_event WHERE id = ANY (ARRAY(
        SELECT id FROM audit_event WHERE {OLD} ORDER BY at LIMIT %s))
    RETURNING 1
"""
PRUNED_AT_ONCE = 5000


@frozen
class AuditFilter:
    """Which lines are wanted; ``None``: whatever it is.

    :ivar account_id: those about this account, and those of what it did to others.
    :ivar email: those about this address, in any case, besides; also what strangers called
        themselves.
    :ivar since: those from this moment on.
    """

    account_id: UUID | None = None
    email: str | None = None
    kinds: tuple[AuditKind, ...] | None = None
    since: datetime | None = None


def audit_event(row: Row) -> AuditEvent:
    """A line from the columns :data:`COLUMNS`."""
    identity, at, kind, account_id, email, address, sign_in, detail, count = row
    return AuditEvent(
        kind=kind_of(kind),
        account_id=account_id,
        email=email,
        address=address,
        sign_in=way_of(sign_in),
        detail=detail,
        count=count,
        at=at,
        id=identity,
    )


def kind_of(text: str) -> AuditKind:
    """The kind, or the bare text of one that only another version of StackSync knows."""
    return AuditKind(text) if text in set(AuditKind) else cast(AuditKind, text)


def way_of(text: str | None) -> SignIn | None:
    """The way of signing in, or the bare text of one that another version knows."""
    return SignIn(text) if text in set(SignIn) else cast("SignIn | None", text)


def told(event: AuditEvent, age: float) -> dict[str, Any]:
    """A line, as :data:`ADD` takes it."""
    return {
        "at": event.at,
        "age": age,
        "kind": event.kind,
        "account_id": event.account_id,
        "email": event.email,
        "address": event.address,
        "sign_in": event.sign_in,
        "detail": event.detail,
        "count": event.count,
    }


class AuditTable:
    """The ``audit_event`` table.  Texts must be free of NUL and lone surrogates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, transaction: Transaction, event: AuditEvent) -> AuditEvent:
        """Add a line, if the transaction is committed; the line as it was written."""
        rows = await transaction.query(ADD, [orjson.dumps([told(event, 0.0)]).decode()])
        return audit_event(rows[0])

    async def add_many(self, events: Sequence[tuple[AuditEvent, float]]) -> tuple[AuditEvent, ...]:
        """Add lines, all or none, in their order; as they were written.

        :param events: each with how many seconds ago it was, for one clock is to date them all:
            the database's.
        :raises Unavailable: the database is away, or went away: they may have been written.
        """
        lines = [told(event, age) for event, age in events]
        rows = await self._database.query("write audit", ADD, [orjson.dumps(lines).decode()])
        return tuple(map(audit_event, rows))

    async def page(
        self, wanted: AuditFilter, limit: int, *, before: AuditEvent | None = None
    ) -> tuple[AuditEvent, ...]:
        """At most ``limit`` lines, newest first.

        :param before: the last line of the page that this one follows.
        """
        rows = await self._database.query(
            "read audit",
            PAGE,
            {
                "account": wanted.account_id,
                "email": wanted.email,
                "kinds": None if wanted.kinds is None else list(map(str, wanted.kinds)),
                "since": wanted.since,
                "at": before.at if before is not None else None,
                "id": before.id if before is not None else None,
                "limit": limit,
            },
            repeatable=True,
        )
        return tuple(map(audit_event, rows))

    async def prune(self, keep: float) -> int:
        """Remove lines that are older than ``keep`` seconds, some thousand at the most; how many.

        Again until none is left.
        """
        rows = await self._database.query(
            "prune audit", PRUNE, [keep, PRUNED_AT_ONCE], repeatable=True
        )
        return len(rows)

    async def older_than(self, keep: float) -> int:
        """How many lines are older than ``keep`` seconds."""
        rows = await self._database.query(
            "count audit", f"SELECT count(*) FROM audit_event WHERE {OLD}", [keep], repeatable=True
        )
        count: int = rows[0][0]
        return count
