"""An item and the wish to change it, in JSON, in a front-end's own spelling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from operator import attrgetter
from typing import Any

from attrs import field, frozen

from stacksync.errors import InvalidRequest
from stacksync.model import Item, ItemChange, ItemShape, ItemStatus
from stacksync.protocols.fields import (
    as_object,
    boolean,
    instant,
    integer,
    iso,
    required,
    text,
    texts,
)

STATUSES = {status.value: status for status in ItemStatus}


@frozen
class ItemCodec:
    """Encodes items and decodes changes.

    :ivar names: what this protocol calls the attributes of
        :class:`~stacksync.model.Item` that it tells.
    :ivar temp_id: what it calls a new item's temporary id.
    :ivar known: the names that a change may have; ``None``: any, and those
        that mean nothing are passed over.
    """

    names: Mapping[str, str]
    temp_id: str
    known: Set[str] | None = None
    _attributes: Callable[[Item], tuple[Any, ...]] = field(init=False, eq=False, repr=False)
    _wire_names: tuple[str, ...] = field(init=False, eq=False, repr=False)

    @_attributes.default
    def _read_at_once(self) -> Callable[[Item], tuple[Any, ...]]:
        return attrgetter(*self.names)

    @_wire_names.default
    def _in_the_same_order(self) -> tuple[str, ...]:
        return tuple(self.names.values())

    @property
    def shape(self) -> ItemShape:
        return ItemShape(self.names)

    def encode(self, item: Item) -> dict[str, Any]:
        """The item as this protocol tells it; folders have no chunks."""
        told = dict(zip(self._wire_names, self._attributes(item), strict=True))
        told[self.names["modified_at"]] = iso(item.modified_at)
        if item.is_folder:
            told[self.names["chunks"]] = None
        return told

    def decode_change(self, value: Any, where: str) -> ItemChange:
        """One item of a commit.

        :param where: what to call it in an error (``items[3]``).
        :raises InvalidRequest: a field has the wrong type, or is missing or unknown.
        """
        prefix, names = where + ".", self.names
        fields = as_object(value, where, prefix, self.known)
        version, modified_at = names["version"], names["modified_at"]
        return ItemChange(
            status=required(read_status(fields, names["status"], prefix), names["status"], prefix),
            version=required(integer(fields, version, prefix), version, prefix),
            modified_at=required(instant(fields, modified_at, prefix), modified_at, prefix),
            id=integer(fields, names["id"], prefix),
            temp_id=integer(fields, self.temp_id, prefix),
            parent_id=integer(fields, names["parent_id"], prefix),
            name=text(fields, names["name"], prefix),
            is_folder=boolean(fields, names["is_folder"], prefix),
            size=integer(fields, names["size"], prefix),
            checksum=integer(fields, names["checksum"], prefix),
            mimetype=text(fields, names["mimetype"], prefix),
            chunks=texts(fields, names["chunks"], prefix),
        )

    def encode_change(self, change: ItemChange) -> dict[str, Any]:
        """What :meth:`decode_change` reads as this change, without what is not said."""
        names = self.names
        told = {
            names["id"]: change.id,
            self.temp_id: change.temp_id,
            names["version"]: change.version,
            names["parent_id"]: change.parent_id,
            names["status"]: change.status.value,
            names["name"]: change.name,
            names["is_folder"]: change.is_folder,
            names["size"]: change.size,
            names["checksum"]: change.checksum,
            names["mimetype"]: change.mimetype,
            names["chunks"]: change.chunks,
            names["modified_at"]: iso(change.modified_at),
        }
        return {name: value for name, value in told.items() if value is not None}

    def problem_in_wire_names(self, problem: str | None) -> str | None:
        """The engine's complaint about a change, in the names of this protocol.

        What is wrong with ``name`` is for a client wrong with ``filename``.
        """
        if problem is None:
            return None
        name, colon, complaint = problem.partition(":")
        if name == "temp_id":
            return self.temp_id + colon + complaint
        return self.names.get(name, name) + colon + complaint


def read_status(fields: Mapping[str, Any], name: str, prefix: str) -> ItemStatus | None:
    value = fields.get(name)
    if value is None:
        return None
    found = STATUSES.get(value) if type(value) is str else None
    if found is None:
        raise InvalidRequest(prefix + name, f"must be one of {', '.join(STATUSES)}")
    return found
