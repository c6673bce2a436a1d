"""Statements about what an account may do at the broker.  What follows from that is the engine's.

Each question of the broker's is one statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from attrs import frozen

from stacksync.db.database import Database

BY_ID = "a.id = %(login)s"
# As it is stored: the broker tells logins apart by case, and so must who is asked.
BY_EMAIL = "lower(a.email) = lower(%(login)s) AND a.email = %(login)s"

STANDING = """
    SELECT a.id,
        ARRAY(SELECT d.id FROM device d
            WHERE d.id = ANY (%(named)s) AND d.account_id = a.id AND d.revoked_at IS NULL),
        ARRAY(SELECT m.workspace_id FROM membership m
            WHERE m.workspace_id = ANY (%(named)s) AND m.account_id = a.id)
    FROM account a WHERE {login}
"""


@frozen
class Standing:
    """What an account is to the ids that it was asked about with.

    :ivar devices: those of them that are its own devices, and not revoked.
    :ivar workspaces: those of them of which it is a member.
    """

    account_id: UUID
    devices: frozenset[UUID]
    workspaces: frozenset[UUID]


class BrokerAccessTable:
    """Accounts, devices and memberships as the broker asks about them.

    A login is an account's id, or its e-mail exactly as it is stored.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def standing(self, login: UUID | str, named: Sequence[UUID]) -> Standing | None:
        """What the account of a login is to these ids; ``None``: there is no such account."""
        rows = await self._database.query(
            "answer broker",
            STANDING.format(login=condition(login)),
            {"login": login, "named": list(named)},
            repeatable=True,
        )
        if not rows:
            return None
        account_id, devices, workspaces = rows[0]
        return Standing(account_id, frozenset(devices), frozenset(workspaces))

    async def devices(self, account_id: UUID) -> tuple[UUID, ...]:
        """All devices that an account has or had, by which its queues may be named."""
        rows = await self._database.query(
            "list all devices",
            "SELECT id FROM device WHERE account_id = %s ORDER BY id",
            [account_id],
            repeatable=True,
        )
        return tuple(row[0] for row in rows)


def condition(login: UUID | str) -> str:
    return BY_ID if isinstance(login, UUID) else BY_EMAIL
