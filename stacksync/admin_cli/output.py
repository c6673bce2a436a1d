"""Answers as people read them and as machines do."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from stacksync.errors import StackSyncError
from stacksync.model import Account, Workspace

INTERRUPTED = 130
"""The exit status of a command that Ctrl-C or SIGTERM has ended: the shells' for Ctrl-C."""

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


@frozen
class Answer:
    """What a command found or did.

    :ivar document: for ``--json``.
    :ivar lines: for people.
    :ivar status: the exit status.
    """

    document: dict[str, Any]
    lines: Sequence[str] = field(repr=False)
    status: int = 0


def to_json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def error_json(error: StackSyncError) -> str:
    return json.dumps(
        {"error": {"kind": type(error).__name__, "message": str(error)}}, ensure_ascii=False
    )


def instant_json(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment is not None else None


def minute(moment: datetime) -> str:
    """An instant as people read it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def account_json(account: Account) -> dict[str, Any]:
    return {
        "id": str(account.id),
        "email": account.email,
        "name": account.name,
        "quota_limit": account.quota_limit,
        "quota_used": account.quota_used,
        "identity_id": account.identity_id,
        "created_at": account.created_at.isoformat(timespec="milliseconds"),
    }


def workspaces_json(workspaces: Sequence[Workspace]) -> list[dict[str, Any]]:
    return [
        {"id": str(each.id), "name": each.name, "latest_revision": each.latest_revision}
        for each in workspaces
    ]


def size(number: int) -> str:
    """A number of bytes in the unit in which it is below 1024, with up to one decimal."""
    value = float(number)
    for unit in _UNITS:
        if value < 1023.95 or unit == _UNITS[-1]:
            break
        value /= 1024
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"


def printable(text: str) -> str:
    """Text by which nobody can steer the operator's terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def terminal_width() -> int | None:
    """Columns of the terminal that the answer goes to; ``None`` if it goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as they need to be, two spaces apart; the first row is the heading."""
    cleaned = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cleaned, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cleaned
    ]
