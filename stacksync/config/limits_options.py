"""The options about what one request, account or address may ask for.

Declared like those in ``options``, where the whole configuration is put together.
"""

from __future__ import annotations

from attrs import frozen

from stacksync.config import values
from stacksync.config.declaration import option


@frozen
class LimitsConfig:
    """What one request, account or address may ask for."""

    items_per_commit: int = option(
        values.whole(1, 1_000_000), 5000, "The most items in one commit."
    )
    chunks_per_item: int = option(
        values.whole(1, 10_000_000), 200_000, "The most chunks of one file."
    )
    json_depth: int = option(
        values.whole(8, 1000), 64, "How deep lists and objects may stand in one another."
    )
    account_rate: int = option(
        values.whole(0, 1_000_000),
        500,
        "HTTP requests a second of one account, in the long run; 0: no limit.",
    )
    account_burst: int = option(
        values.whole(1, 10_000_000), 5000, "How many of them may come at once after a quiet time."
    )
    address_rate: int = option(
        values.whole(0, 1_000_000),
        1000,
        "HTTP requests a second from one address, in the long run; 0: no limit.",
    )
    address_burst: int = option(
        values.whole(1, 10_000_000), 10_000, "How many of them may come at once after a quiet time."
    )
    account_uploads: int = option(
        values.whole(1, 100_000),
        32,
        "How many bodies of files an account may be sending at the same time.",
    )
    account_streams: int = option(
        values.whole(1, 100_000), 100, "How many event streams an account may have open."
    )
