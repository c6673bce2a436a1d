"""A walk through all workspaces, for who looks after the whole database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from attrs import frozen

from stacksync.db.session import Session

PAGE = 500

FIRST = UUID(int=0)

COLUMNS = "w.id, w.container, w.is_encrypted, w.latest_revision, a.id, a.email"
"""Of a :class:`KnownWorkspace`, from ``workspace w`` and its owner's ``account a``."""

SELECT = f"""
    SELECT {COLUMNS} FROM workspace w JOIN account a ON a.id = w.owner_id
    WHERE w.id > %s ORDER BY w.id LIMIT %s
"""


KNOWN_CONTAINERS = """
    SELECT container FROM workspace WHERE container = ANY (%(names)s)
    UNION
    SELECT arguments ->> 'container' FROM job WHERE finished_at IS NULL
        AND kind = 'remove-container' AND arguments ->> 'container' = ANY (%(names)s)
"""


@frozen
class KnownWorkspace:
    """A workspace, seen by nobody in particular."""

    id: UUID
    container: str
    is_encrypted: bool
    latest_revision: int
    owner_id: UUID
    owner_email: str


async def known_workspaces(session: Session) -> AsyncIterator[KnownWorkspace]:
    """All workspaces by id; one that is made meanwhile may be among them or not."""
    after = FIRST
    while rows := await session.query(SELECT, [after, PAGE]):
        for row in rows:
            yield KnownWorkspace(*row)
        after = rows[-1][0]


async def known_containers(session: Session, names: Sequence[str]) -> set[str]:
    """Those of the containers that belong to a workspace, or that a job is to remove."""
    rows = await session.query(KNOWN_CONTAINERS, {"names": list(names)})
    return {name for (name,) in rows}
