"""What is told of an object, from what the file system says of its file."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta

from stacksync.model import BlobInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_object(status: os.stat_result) -> bool:
    """Whether it is a file that we may have made: no directory, link or pipe."""
    return stat.S_ISREG(status.st_mode)


def blob_info(name: bytes, status: os.stat_result) -> BlobInfo:
    """Size, and the time of the last change, which is that of the last put or refresh."""
    modified_at = EPOCH + timedelta(milliseconds=status.st_mtime_ns // 1_000_000)
    return BlobInfo(name.decode(), status.st_size, modified_at)
