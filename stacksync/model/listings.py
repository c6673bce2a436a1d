"""Many items at once: changes and pages, as JSON in the shape that a front-end asks for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from attrs import field, frozen


def _copied(names: Mapping[str, str]) -> dict[str, str]:
    return dict(names)


@frozen
class ItemShape:
    """Which fields of an item a front-end wants to read, and under what names.

    ``names`` maps attributes of :class:`Item` to the names on the wire.  It
    lets the database write a listing's JSON in the protocol's own spelling,
    so that ten thousand items are never turned into objects and back.
    """

    names: Mapping[str, str] = field(converter=_copied)


@frozen
class Changes:
    """What a workspace's items became since a revision.

    ``items`` is a JSON array in the asked :class:`ItemShape`, UTF-8, parents
    before their children; ``revision`` is the cursor to ask with next time.
    """

    workspace_id: UUID
    revision: int
    items: bytes
    count: int


class Order(StrEnum):
    """By what a listing is sorted; a descending one is the reverse."""

    NAME = "name"
    MODIFIED = "modified_at"
    SIZE = "size"


@frozen
class Paging:
    """Which part of a listing is wanted.

    ``after`` is the :attr:`ItemPage.next` of the page before, or ``None`` for
    the first page.
    """

    limit: int
    after: str | None = None
    order: Order = Order.NAME
    descending: bool = False


@frozen
class ItemPage:
    """Part of a listing: ``items`` is a JSON array in the asked :class:`ItemShape`, UTF-8.

    ``next`` is what to ask with for the following page, ``None`` at the end.
    """

    items: bytes
    count: int
    next: str | None
