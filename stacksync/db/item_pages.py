"""The items of a workspace, a page at a time, in the order in which they last changed.

For who has to look at all of them: along the index ``item_changes``, so that
other workspaces are not read, and each page a statement of its own.  An item
that changes meanwhile moves behind the end, or comes again at it.
"""

from __future__ import annotations

from attrs import frozen

EVERY_REVISION = 2**63 - 1

PAGE = """
    SELECT i.* FROM item i
    WHERE i.workspace_id = %(workspace)s AND i.revision <= %(latest)s
        AND (i.revision, i.id) > (%(after_revision)s, %(after_id)s)
    ORDER BY i.revision, i.id LIMIT %(rows)s
"""
"""To be named ``page``; takes ``workspace``, ``latest`` and what :meth:`Place.after` gives."""

LAST = "SELECT p.revision, p.id FROM page p ORDER BY p.revision DESC, p.id DESC LIMIT 1"
"""The columns of the :class:`Place` where ``page`` ends; no row: it is empty."""


@frozen
class Place:
    """Where a page ended; by default, before the first one."""

    revision: int = -1
    item_id: int = 0

    def after(self, rows: int) -> dict[str, int]:
        """The arguments for the page of so many items that follows."""
        return {"after_revision": self.revision, "after_id": self.item_id, "rows": rows}
