"""The time of an object, from what Swift says in headers and in listings.

Headers have whole seconds, rounded up; listings have fractions.  All are made
whole seconds, so that they agree.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from stacksync.errors import Unavailable
from stacksync.storage.threads import PART


def from_header(last_modified: str) -> datetime:
    """From ``Last-Modified: Sat, 21 Nov 2026 16:59:12 GMT``.

    :raises Unavailable: it is no time.
    """
    try:
        return parsedate_to_datetime(last_modified).astimezone(UTC)
    except ValueError:
        raise Unavailable(PART, f"Swift tells no time of an object: {last_modified!r}") from None


def from_listing(last_modified: str) -> datetime:
    """From ``2026-11-21T16:59:11.757740``, which is UTC.

    :raises ValueError: it is no time.
    """
    exact = datetime.fromisoformat(last_modified).replace(tzinfo=UTC)
    whole = exact.replace(microsecond=0)
    return whole + timedelta(seconds=1) if exact > whole else whole
