"""The options about the content of files: where it is kept, how it is cut, for how long.

Declared like those in ``options``, where the whole configuration is put together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import frozen

from stacksync.config import values
from stacksync.config.declaration import option


@frozen
class StorageConfig:
    """The store for the content of files."""

    url: Literal["disk", "swift"] = option(
        values.choice("disk", "swift"),
        "disk",
        "disk: in a directory of this machine. swift: in the object store that Keystone names "
        "([keystone]).",
    )
    directory: Path = option(
        values.directory_in_home(),
        Path("objects"),
        "The directory that the disk store keeps everything in; a relative path starts at home "
        "of [service]. Instances that share a database share this directory too.",
    )
    threads: int = option(
        values.whole(1, 256), 4, "How many files are read and written at the same time."
    )
    connections: int = option(
        values.whole(1, 10_000), 32, "How many requests to Swift go on at the same time."
    )
    timeout: float = option(
        values.duration(),
        60.0,
        "How long one step (a read, a write, a sync to the disk; with Swift, a piece or an answer) "
        "may take before the request fails.",
    )


@frozen
class ContentConfig:
    """Cutting, hashing and compressing files."""

    threads: int = option(
        values.whole(1, 256),
        2,
        "How many pieces of files are cut, hashed or compressed at the same time; as many as "
        "there are cores.",
    )


@frozen
class RetentionConfig:
    """What is left of the past, by stacksync-admin gc; by the service itself, of the audit."""

    keep_versions: int = option(
        values.whole(0, 2**31 - 1),
        0,
        "How many versions of a file are kept, the newest included; 0: all.",
    )
    keep_days: int = option(
        values.whole(0, 36500),
        0,
        "How many days earlier versions and deleted items are kept; 0: for ever.",
    )
    audit: float = option(
        values.duration(minimum=0.0, maximum=36500 * values.ONE_DAY),
        365 * values.ONE_DAY,
        "How long the audit is kept; 0s: for ever.",
    )


@frozen
class UploadsConfig:
    """Resumable uploads (tus)."""

    expire: float = option(
        values.duration(minimum=60.0, maximum=365 * values.ONE_DAY),
        values.ONE_DAY,
        "How long an unfinished upload is kept after its last piece.",
    )
