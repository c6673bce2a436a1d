"""What may be written after ``stacksync-admin audit``."""

from __future__ import annotations

import argparse
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from stacksync.config.values import read_duration
from stacksync.model import AuditKind

DEFAULT_LINES = 100


def add_audit(audit: argparse.ArgumentParser) -> None:
    """What may be written after ``audit``."""
    audit.description = (
        "Shows sign-ins, refusals, and what was done about shares, tokens, passwords and accounts:"
        " the latest lines, the newest at the end. Times are UTC."
    )
    audit.add_argument("--account", metavar="EMAIL|ID", help="what it did, and what was done to it")
    audit.add_argument(
        "--kind",
        dest="kinds",
        action="append",
        type=kind,
        metavar="KIND",
        help=f"only these; may be given more than once: {', '.join(AuditKind)}",
    )
    audit.add_argument(
        "--since",
        type=moment,
        metavar="TIME",
        help="only what is not older: 12h, 7d; or from then on: 2026-11-21, 2026-11-21T18:30",
    )
    audit.add_argument(
        "--limit",
        type=number,
        default=DEFAULT_LINES,
        metavar="N",
        help=f"how many lines at the most; {DEFAULT_LINES} if left out",
    )


def moment(text: str) -> datetime:
    """When something was: so long ago, or at this time (UTC, unless it says which zone)."""
    with suppress(ValueError):
        return datetime.now(UTC) - timedelta(seconds=read_duration(text))
    try:
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither how long ago (12h, 7d) nor a time (2026-11-21T18:30)"
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def kind(text: str) -> AuditKind:
    """One of the kinds, by its name."""
    with suppress(ValueError):
        return AuditKind(text)
    raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(AuditKind)}")


def number(text: str) -> int:
    """A number of lines."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)
