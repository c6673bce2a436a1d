"""A request that comes again, or is tried again: what the earlier try tells of it."""

from __future__ import annotations

from uuid import UUID, uuid5

from attrs import evolve

from stacksync.model import Item, ItemChange, ItemOutcome, Refusal, Workspace

TRIES = 5
"""How often a change is made that other commits overtake."""


def identity_of(request_id: str | None, attempt: int) -> str | None:
    """The request id of a try: each has its own, as what the one before got is on record."""
    if request_id is None or attempt == 0:
        return request_id
    return str(uuid5(UUID(int=attempt), request_id))


def is_elsewhere(before: ItemOutcome | None, item_id: int, workspace: Workspace) -> bool:
    """Whether a try that came before was about an item that has changed its workspace since."""
    if before is None:
        return False
    if before.refusal is Refusal.NOT_FOUND:
        return True
    made = before.item
    return (
        before.committed
        and made is not None
        and made.id == item_id
        and made.workspace_id != workspace.id
    )


def made_elsewhere(
    before: ItemOutcome | None, change: ItemChange, workspace_id: UUID
) -> Item | None:
    """What an earlier try has made anew in a folder that has changed its workspace since."""
    made = before.item if before is not None and before.committed else None
    if made is None or made.workspace_id == workspace_id:
        return None
    asked = (change.status, change.name, change.parent_id, change.is_folder, change.chunks or ())
    told = (made.status, made.name, made.parent_id, made.is_folder, made.chunks)
    return made if asked == told else None


def as_before(change: ItemChange, before: ItemOutcome | None) -> ItemChange:
    """The change with the time of the first time, without which it would be another request."""
    if before is None or before.refusal is not None or before.item is None:
        return change
    return evolve(change, modified_at=before.item.modified_at)
