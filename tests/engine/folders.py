"""Folders that people share, as each of them sees them."""

from __future__ import annotations

from typing import Any

import orjson

from stacksync.model import Item, ItemShape, Paging, Role, Workspace
from tests.engine.conftest import Person

SHAPE = ItemShape({"id": "id", "name": "name", "is_folder": "is_folder", "size": "size"})


async def shared(owner: Person, item: Item, guest: Person, role: Role = Role.EDITOR) -> Workspace:
    """The workspace of the owner's folder, of which the guest has become a member."""
    engine = owner.engine
    email = guest.user.account.email
    await engine.proposals.propose(owner.principal, item.id, [email], role=role)
    (proposal,) = [
        each for each in await engine.proposals.waiting(guest.principal) if each.item_id == item.id
    ]
    return await engine.proposals.accept(guest.principal, proposal.id)


async def tree(person: Person, folder_id: int | None = None) -> dict[str, Any]:
    """What somebody sees walking down from the root: sizes of files, content of folders.

    Folders end with a slash.  Page after page of two, so that pages matter.
    """
    seen: dict[str, Any] = {}
    after = None
    while True:
        page = await person.engine.items.contents(
            person.principal, folder_id, Paging(limit=2, after=after), SHAPE
        )
        for each in orjson.loads(page.items):
            if each["is_folder"]:
                seen[each["name"] + "/"] = await tree(person, each["id"])
            else:
                seen[each["name"]] = each["size"]
        after = page.next
        if after is None:
            return seen
