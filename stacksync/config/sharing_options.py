"""The options about folders that people share, and about the work that goes on behind requests.

Declared like those in ``options``, where the whole configuration is put together.
"""

from __future__ import annotations

from attrs import frozen

from stacksync.config import values
from stacksync.config.declaration import option


@frozen
class SharingConfig:
    """Folders that people share."""

    auto_accept: bool = option(
        values.flag(),
        False,
        "Whether whoever a folder is proposed to is a member at once: for old clients, which "
        "can't accept.",
    )
    proposal_expire: float = option(
        values.duration(minimum=60.0, maximum=3650 * values.ONE_DAY),
        30 * values.ONE_DAY,
        "How long a proposal waits for its answer.",
    )
    max_members: int = option(
        values.whole(2, 120),
        100,
        "How many people may take part in a folder, those who are asked included. A container's "
        "access list in Swift holds about 120.",
    )
    keep_container: float = option(
        values.duration(minimum=0.0, maximum=365 * values.ONE_DAY),
        3600.0,
        "How long the container of a folder that is shared no more is kept for downloads that "
        "have begun before, once its content is elsewhere.",
    )


@frozen
class JobsConfig:
    """The work that requests leave behind: containers, access lists, copies, notifications."""

    at_once: int = option(
        values.whole(1, 64), 4, "How many jobs this instance does at the same time."
    )
    copies_at_once: int = option(
        values.whole(1, 64), 4, "How many chunks a job copies at the same time."
    )
    poll: float = option(
        values.duration(minimum=0.05, maximum=3600.0),
        5.0,
        "How often jobs that other instances have left are looked for.",
    )
    longest_delay: float = option(
        values.duration(minimum=0.1),
        300.0,
        "How long a job that keeps failing waits before the next try; it begins with less.",
    )
    keep_done: float = option(
        values.duration(minimum=0.0, maximum=365 * values.ONE_DAY),
        7 * values.ONE_DAY,
        "How long jobs that are done are still shown.",
    )
