"""The figures of file content: megabytes and files per second, beside nginx and the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.figure import Figure

MIB = 1024**2
TRANSFER_MB = 100.0
DIRECTIONS = {"up": "upload", "down": "download"}


def content_figures(results: dict[str, Any]) -> Iterator[Figure]:
    content = results.get("content")
    if content is None:
        return
    for kind, unit in (("large", "MB/s"), ("small", "files/s")):
        told, size = content[kind], content["sizes"][kind]
        amount = size / MIB if kind == "large" else size / (10 * 1024)
        what = (
            f"1 file of {size // MIB:,} MB" if kind == "large" else f"{amount:,.0f} files of 10 KB"
        )
        for direction, name in DIRECTIONS.items():
            ours = amount / told[direction]
            yield Figure(f"{name}, {what}", ours, unit)
            for other in ("store", "nginx"):
                rate = amount / told[other][direction]
                yield Figure(f"  the same, {other} alone", rate, unit, ours / rate, "ours to it")
        peak = told["memory"]["peak"]
        limit = TRANSFER_MB if kind == "large" else None
        yield Figure(
            *(f"server, most resident memory during {what}", peak, "MB"),
            target=f"under {limit:g}" if limit else "",
            met=peak < limit if limit else None,
        )
    edit = content["edit"]
    yield Figure(
        *("newly stored after one byte was inserted", edit["new_bytes"] / 1024, "KB"),
        ratio=edit["new_bytes"] / edit["size"],
        ratio_to=f"{edit['size'] // MIB} MB file",
    )
