"""Which names containers and objects may have, and where on disk an object of a name lies.

The rule is :class:`~stacksync.interfaces.IBlobStore`'s.  Nothing is opened here.
"""

from __future__ import annotations

import hashlib

from attrs import frozen

from stacksync.errors import InvalidRequest

LONGEST = 255
"""Bytes; also the longest file name of the usual file systems."""


@frozen
class Location:
    """Where an object lies: ``containers/<container>/<shelf>/<name>``."""

    container: bytes
    shelf: bytes
    name: bytes


def location(container: str, name: str) -> Location:
    """The place of an object.

    :raises InvalidRequest: not a name that a container or object can have.
    """
    encoded = checked("name", name)
    return Location(checked("container", container), shelf_of(encoded), encoded)


def checked(field: str, name: str) -> bytes:
    """A name as it is written on disk.

    :param field: what to call it in the error.
    :raises InvalidRequest: it would not be a file of its own in its directory.
    """
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(field, "must be valid Unicode text") from None
    if not 1 <= len(encoded) <= LONGEST:
        raise InvalidRequest(field, f"must have 1 to {LONGEST} bytes, not {len(encoded)}")
    if b"/" in encoded or b"\0" in encoded:
        raise InvalidRequest(field, "must not contain a slash or NUL")
    if encoded in (b".", b".."):
        raise InvalidRequest(field, "must not be . or ..")
    return encoded


def shelf_of(name: bytes) -> bytes:
    """The directory among its container's 256 that an object lies in.

    The first two digits of the name's SHA-256: names of any form spread
    evenly, so no directory gets large.
    """
    return hashlib.sha256(name).hexdigest()[:2].encode()
