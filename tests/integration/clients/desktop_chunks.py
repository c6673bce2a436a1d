"""Chunks as the desktop client makes and reads them (contracts/objectmq.md, *Types*)."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable
from typing import Any

SIZE = 512 * 1024


def cut(content: bytes, file_id: int, size: int = SIZE) -> dict[str, bytes]:
    """The chunk objects of a content by their names, in order.

    :param file_id: what the client calls the file.
    """
    return {
        f"chk-{hashlib.sha1(plain).hexdigest().upper()}-{file_id}": gzip.compress(plain)
        for plain in (content[start : start + size] for start in range(0, len(content), size))
    }


def joined(objects: Iterable[bytes]) -> bytes:
    """The content that chunk objects hold."""
    return b"".join(map(gzip.decompress, objects))


def described(content: bytes, chunks: Iterable[str]) -> dict[str, Any]:
    """The fields of a commit that tell a file's content."""
    return {"size": len(content), "checksum": zlib.adler32(content), "chunks": list(chunks)}
