"""The figures of sharing, each beside the same without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.figure import Figure

OF_PRIVATE = 0.9
"""Of the commits per second for somebody who shares nothing; a tenth is left to chance."""

MOUNTED_OF_PLAIN = 3.0


def sharing_figures(results: dict[str, Any]) -> Iterator[Figure]:
    sharing = results.get("sharing")
    if sharing is None:
        return
    large, commits, listing = sharing["large"], sharing["commits"], sharing["listing"]
    what = f"a folder of {large['items']:,} items and {large['chunks']:,} chunks"
    for name in ("propose", "accept", "unshare"):
        yield Figure(f"{name} {what}", large[name], "ms")
    yield Figure(f"copy its chunks, {large['chunks']:,}", large["copy"], "s")
    yield Figure(
        *("commits through AMQP, a private workspace", commits["private"], "/s"), 1.0, "private"
    )
    mounts = listing["mounts"]
    for name, what in (
        ("shared", f"one shared by {commits['members']}"),
        ("mounted", f"a private one with {mounts} mounts"),
    ):
        ratio = commits[name] / commits["private"]
        yield Figure(
            *(f"commits through AMQP, {what}", commits[name], "/s"),
            ratio=ratio,
            ratio_to="private",
            target=f"{OF_PRIVATE:g}",
            met=ratio >= OF_PRIVATE,
        )
    ratio = listing["mounted"] / listing["plain"]
    yield Figure(f"list a root of {mounts} folders", listing["plain"], "ms")
    yield Figure(
        *(f"list a root of {mounts} shared folders", listing["mounted"], "ms"),
        ratio=ratio,
        ratio_to="plain",
        target=f"under {MOUNTED_OF_PLAIN:g} times",
        met=ratio < MOUNTED_OF_PLAIN,
    )
