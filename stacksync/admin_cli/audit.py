"""``stacksync-admin audit``: who signed in, was refused, shared, and changed accounts and tokens.

Reads and shows, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from textwrap import wrap
from typing import Any
from uuid import UUID

from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.output import Answer, minute, printable, size, table, terminal_width
from stacksync.admin_cli.session import engine
from stacksync.config import Config
from stacksync.db.audit import AuditFilter
from stacksync.engine import Engine
from stacksync.errors import AccountNotFound
from stacksync.model import AuditEvent, Principal, SignIn

INDENT = " " * 4
NARROWEST = 40
"""Columns; less is no terminal that one could read on."""

HEADING = ("Time", "Kind", "Account", "From", "By", "Detail")


async def show_audit(reactor: Any, config: Config, arguments: Arguments) -> Answer:
    """The latest lines that are wanted, the newest at the end, as logs are read."""
    async with engine(reactor, config) as opened:
        wanted = await filter_of(opened.engine, arguments)
        events = (await opened.engine.audit.latest(wanted, arguments.limit))[::-1]
        names = await names_of(opened.engine, events)
    rows = [HEADING, *(row(each, names) for each in events)]
    document = {"events": [event_json(each) for each in events]}
    if not events:
        return Answer(document, ["There is nothing of that in the audit."])
    return Answer(document, laid_out(rows, terminal_width()))


async def filter_of(engine: Engine, arguments: Arguments) -> AuditFilter:
    """Which lines are wanted."""
    account_id, email = None, arguments.account
    if email is not None:
        account_id = id_in(email)
        if account_id is not None:
            email = None
        else:
            account_id = await id_of(engine, email)
    kinds = tuple(arguments.kinds) if arguments.kinds else None
    return AuditFilter(account_id, email, kinds, arguments.since)


def id_in(text: str) -> UUID | None:
    """The id that a text is, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


async def id_of(engine: Engine, email: str) -> UUID | None:
    """The account that has this e-mail now; it may have had another one, or be gone."""
    try:
        return (await engine.accounts.by_email(email)).id
    except AccountNotFound:
        return None


async def names_of(engine: Engine, events: tuple[AuditEvent, ...]) -> dict[str, str]:
    """E-mails of those who have done something to others, by id, as far as they are still there."""
    names = {}
    for told in {str(each.detail["by"]) for each in events if "by" in each.detail}:
        account_id = id_in(told)
        if account_id is not None:
            try:
                account = await engine.accounts.of(Principal(account_id, SignIn.OPERATOR))
            except AccountNotFound:
                continue
            names[told] = account.email
    return names


def row(event: AuditEvent, names: dict[str, str]) -> tuple[str, ...]:
    times = f" ({event.count} times)" if event.count > 1 else ""
    account = event.email or (str(event.account_id) if event.account_id else "")
    detail = ", ".join(
        f"{name.replace('_', ' ')}:"
        f" {shown(name, names.get(value, value) if name == 'by' else value)}"
        for name, value in event.detail.items()
    )
    return (
        event.at.strftime("%Y-%m-%d %H:%M:%S") if event.at is not None else "",
        f"{event.kind}{times}",
        account,
        event.address or "",
        str(event.sign_in or ""),
        detail,
    )


def shown(name: str, value: Any) -> str:
    """A value of the detail as people read it, by its name."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "quota_limit" and isinstance(value, int):
        return size(value)
    if name.endswith("_at") and isinstance(value, str):
        with suppress(ValueError):
            return minute(datetime.fromisoformat(value))
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def laid_out(rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """The table; where it is wider than the terminal each detail is below its line, wrapped.

    :param width: in columns; ``None``: no terminal but a file or a program, which wants lines.
    """
    lines = table(rows)
    if width is None or max(map(len, lines)) <= width:
        return lines
    told = []
    for line, (*_, detail) in zip(table([each[:-1] for each in rows]), rows, strict=True):
        told.append(line)
        if told[1:] and detail:
            told += wrap(
                printable(detail),
                max(width, NARROWEST),
                initial_indent=INDENT,
                subsequent_indent=INDENT,
            )
    return told


def event_json(event: AuditEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": event.at.isoformat(timespec="milliseconds") if event.at is not None else None,
        "kind": str(event.kind),
        "account_id": str(event.account_id) if event.account_id is not None else None,
        "email": event.email,
        "address": event.address,
        "sign_in": str(event.sign_in) if event.sign_in is not None else None,
        "count": event.count,
        "detail": event.detail,
    }
