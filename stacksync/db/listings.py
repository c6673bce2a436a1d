"""Statements that list items page by page: the content of a folder, the trash.

Each page begins behind the last item of the page before (:mod:`.cursors`), so
the thousandth costs what the first does.  By name a folder is read along the
index of live names, which is in order already; the order of names is that
index's collation's, the database's, and nothing here compares names itself.
By size and time the entries of the folder are sorted.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg2.sql as sql

from stacksync.db import cursors
from stacksync.db.cursors import Position
from stacksync.db.database import Database
from stacksync.db.items import shaped
from stacksync.model import ItemPage, ItemShape, Order, Paging

LIVE = "i.status <> 'DELETED'"
DELETED = "i.status = 'DELETED'"
TRASH = "i.status = 'DELETED' AND i.deleted_with IS NULL"

ALONG_THE_INDEX = "SET LOCAL enable_bitmapscan = off;"
"""Goes before the statement, in the same round trip and transaction.

PostgreSQL takes a large folder of one workspace among many for a small one, as
it takes the two for independent: it would read all of it, and sort.
"""


class Listings:
    """The ``item`` table, page by page."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def contents(
        self,
        workspace_id: UUID,
        folder_id: int | None,
        paging: Paging,
        shape: ItemShape,
        *,
        include_deleted: bool = False,
        mounts_of: UUID | None = None,
    ) -> ItemPage:
        """What is in a folder, or with ``None`` in the workspace's root.

        :param mounts_of: the account whose shared folders are told, too, that
            are mounted there.
        :raises InvalidRequest: ``paging.after`` is no cursor of this listing.
        """
        after = cursors.read(paging)
        return await self._page(
            "list folder",
            contents_statement(
                paging,
                shape,
                after,
                in_root=folder_id is None,
                include_deleted=include_deleted,
                with_mounts=mounts_of is not None,
            ),
            {"workspace": workspace_id, "folder": folder_id, "account": mounts_of},
            paging,
            after,
        )

    async def trash(self, workspace_id: UUID, paging: Paging, shape: ItemShape) -> ItemPage:
        """What was deleted in a workspace, without what only went along with its folder.

        :raises InvalidRequest: ``paging.after`` is no cursor of this listing.
        """
        after = cursors.read(paging)
        return await self._page(
            "list trash",
            trash_statement(paging, shape, after),
            {"workspace": workspace_id},
            paging,
            after,
        )

    async def _page(
        self,
        label: str,
        statement: sql.Composed,
        arguments: dict[str, Any],
        paging: Paging,
        after: Position | None,
    ) -> ItemPage:
        # One row more than asked for tells whether there is another page.
        arguments["rows"] = paging.limit + 1
        if after is not None:
            arguments.update(key=after.key, id=after.id)
        rows = await self._database.query(label, statement, arguments, repeatable=True)
        told = rows[: paging.limit]
        more = len(rows) > len(told)
        return ItemPage(
            items=("[" + ",".join(text for text, _, _ in told) + "]").encode(),
            count=len(told),
            next=cursors.written(paging, Position(*told[-1][1:])) if more else None,
        )


def contents_statement(
    paging: Paging,
    shape: ItemShape,
    after: Position | None,
    *,
    in_root: bool,
    include_deleted: bool,
    with_mounts: bool = False,
) -> sql.Composed:
    """The SELECT that writes a page of a folder."""
    place = "i.parent_id IS NULL" if in_root else "i.parent_id = %(folder)s"
    by_name = paging.order is Order.NAME
    # The index's own columns: PostgreSQL does not see that parent_id, being
    # null, has no part in the order.  Live names are unique: no id is needed.
    live = branch(place, LIVE, ["parent_id", "name"] if by_name else [], paging, after)
    branches = [live]
    if include_deleted:
        order = ["parent_id", "name", "id"] if by_name else []
        branches.append(branch(place, DELETED, order, paging, after))
    if with_mounts:
        branches.append(mounts_branch(paging, after))
    if len(branches) == 1:
        return written_page(paging, shape, live, indexed=by_name)
    merged = sql.SQL("SELECT i.* FROM ({}) i {} LIMIT %(rows)s").format(
        sql.SQL(" UNION ALL ").join(sql.SQL("({})").format(each) for each in branches),
        ordered_by([paging.order.value, "id"], paging),
    )
    return written_page(paging, shape, merged, indexed=by_name)


def trash_statement(paging: Paging, shape: ItemShape, after: Position | None) -> sql.Composed:
    """The SELECT that writes a page of the trash; by time it is in an index's order."""
    by_time = paging.order is Order.MODIFIED
    page = branch("true", TRASH, [], paging, after)
    return written_page(paging, shape, page, indexed=by_time)


def branch(
    place: str, status: str, order: list[str], paging: Paging, after: Position | None
) -> sql.Composed:
    """The page's items of one status; by default in the order of the listing.

    The status is said literally, as the indexes are partial.
    """
    return sql.SQL(
        "SELECT i.* FROM item i WHERE i.workspace_id = %(workspace)s"
        f" AND {place} AND {status} AND {behind(paging, after)}"
        " {} LIMIT %(rows)s"
    ).format(ordered_by(order or [paging.order.value, "id"], paging))


def mounts_branch(paging: Paging, after: Position | None) -> sql.Composed:
    """The shared folders that the account has mounted in the folder: never many."""
    return sql.SQL(
        "SELECT i.* FROM mounts_in(%(account)s, %(folder)s) i"
        f" WHERE {behind(paging, after)}"
        " {} LIMIT %(rows)s"
    ).format(ordered_by([paging.order.value, "id"], paging))


def behind(paging: Paging, after: Position | None) -> str:
    """The condition that a page begins behind the one before."""
    if after is None:
        return "true"
    return f"(i.{paging.order.value}, i.id) {'<' if paging.descending else '>'} (%(key)s, %(id)s)"


def ordered_by(columns: list[str], paging: Paging) -> sql.SQL:
    direction = " DESC" if paging.descending else ""
    return sql.SQL("ORDER BY " + ", ".join(f"i.{column}{direction}" for column in columns))


def written_page(
    paging: Paging, shape: ItemShape, page: sql.Composed, *, indexed: bool
) -> sql.Composed:
    """The items of a page as JSON, only those of the page, in its order; key and id of each.

    :param indexed: an index has the items of each branch in order.
    """
    return sql.SQL(
        "{settings} SELECT row_to_json(told)::text, i.{key}, i.id"
        " FROM ({page}) i, LATERAL (SELECT {columns}) told"
    ).format(
        settings=sql.SQL(ALONG_THE_INDEX if indexed else ""),
        key=sql.SQL(paging.order.value),
        page=page,
        columns=shaped(shape),
    )
