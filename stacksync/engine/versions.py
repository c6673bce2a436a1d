"""The history of an item."""

from __future__ import annotations

from stacksync.db.items import ItemTable
from stacksync.engine import validation
from stacksync.errors import ItemNotFound
from stacksync.model import Item, Principal


class Versions:
    """Answers what an item was."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    async def of(self, principal: Principal, item_id: int) -> tuple[Item, ...]:
        """All versions that are kept, newest first.

        :raises ItemNotFound: no such item, or in no workspace of the principal's.
        """
        if not 0 < item_id < validation.INT64:
            raise ItemNotFound(item_id)
        versions = await self._table.versions(principal.account_id, item_id)
        if not versions:
            raise ItemNotFound(item_id)
        return versions
