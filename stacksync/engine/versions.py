"""The history of an item."""

from __future__ import annotations

from stacksync.db.items import ItemTable
from stacksync.engine import validation
from stacksync.engine.access import Access
from stacksync.errors import ItemNotFound, VersionNotFound
from stacksync.model import Item, Principal


class Versions:
    """Answers what an item was."""

    def __init__(self, table: ItemTable, access: Access) -> None:
        self._table = table
        self._access = access

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

    async def one(self, principal: Principal, item_id: int, number: int) -> Item:
        """The item as it was at one version.

        :raises ItemNotFound: no such item, or in no workspace of the principal's.
        :raises VersionNotFound: it has no such version, or it is not kept any more.
        """
        if 0 < item_id < validation.INT64 and 0 < number < validation.INT64:
            version = await self._table.version(principal.account_id, item_id, number)
            if version is not None:
                return version
        await self._access.item(principal, item_id)
        raise VersionNotFound(number)
