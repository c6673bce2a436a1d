"""A workspace with two members, made without the means to share."""

from __future__ import annotations

from uuid import UUID

from stacksync.model import Item, ItemChange
from tests.db.builders import World
from tests.engine.conftest import Person


async def shared_workspace(world: World, owner: Person, guest: Person, role: str) -> UUID:
    """A second workspace of the owner's, of which the guest is a member in this role."""
    workspace_id = await world.workspace(owner.user, role, of=guest.user)
    await world.database.query(
        "join",
        "INSERT INTO membership (account_id, workspace_id, role, mount_name)"
        " VALUES (%s, %s, 'owner', 'mine')",
        [owner.user.account.id, workspace_id],
    )
    return workspace_id


async def put(world: World, owner: Person, workspace_id: UUID, change: ItemChange) -> Item:
    """An item that the owner has made in this workspace."""
    return await world.item(owner.user, change, workspace_id=workspace_id)
