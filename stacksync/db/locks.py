"""Transactions that change several workspaces: what they lock, in the order that all keep.

Workspaces by id, then their owners' accounts by id, then proposals.  Which
workspaces those are is read beforehand, and found to be so, or else, once they
are locked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar
from uuid import UUID

from attrs import frozen

from stacksync.db.database import Database, Transaction
from stacksync.errors import Overloaded

T = TypeVar("T")

TRIES = 20
"""How often the workspaces are looked up anew that a piece of work needs."""


class NotLocked(Exception):
    """The work needs a workspace that was not expected: it is begun anew."""


@frozen
class Locks:
    """The workspaces that a transaction has locked, their owners' accounts with them."""

    workspace_ids: frozenset[UUID]

    def check(self, *workspace_ids: UUID) -> None:
        """:raises NotLocked: one of these is not locked."""
        if not self.workspace_ids.issuperset(workspace_ids):
            raise NotLocked


async def locked(transaction: Transaction, workspace_ids: Iterable[UUID]) -> Locks:
    """Lock those of the workspaces that are there."""
    wanted = list(workspace_ids)
    rows = await transaction.query(
        "SELECT id FROM workspace WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE", [wanted]
    )
    await transaction.query(
        """
        SELECT FROM account
        WHERE id IN (SELECT owner_id FROM workspace WHERE id = ANY (%s))
        ORDER BY id FOR NO KEY UPDATE
        """,
        [wanted],
    )
    return Locks(frozenset(row[0] for row in rows))


async def with_locks(
    database: Database,
    label: str,
    expect: Callable[[], Awaitable[Iterable[UUID]]],
    work: Callable[[Transaction, Locks], Awaitable[T]],
) -> T:
    """Run a piece of work in one transaction that has locked what it needs.

    :param expect: the workspaces that it will need, as things are now.
    :param work: checks with :meth:`Locks.check` that it has what it needs.
    :raises Unavailable: the database is away, or what is needed kept changing.
    """
    for _ in range(TRIES):
        expected = await expect()

        async def attempt(transaction: Transaction, expected: Iterable[UUID] = expected) -> T:
            return await work(transaction, await locked(transaction, expected))

        try:
            return await database.transaction(label, attempt)
        except NotLocked:
            continue
    raise Overloaded("database", f"{label}: what it is about kept moving")
