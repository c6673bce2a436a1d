"""``stacksync-admin audit``: who signed in, was refused, shared, and changed accounts and tokens.

Reads and shows, and changes nothing.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.output import Answer, table
from stacksync.admin_cli.session import engine
from stacksync.config import Config
from stacksync.db.audit import AuditFilter
from stacksync.engine import Engine
from stacksync.errors import AccountNotFound
from stacksync.model import AuditEvent, Principal, SignIn

HEADING = ("Time", "Kind", "Account", "From", "By", "Detail")


async def show_audit(reactor: Any, config: Config, arguments: Arguments) -> Answer:
    """The latest lines that are wanted, the newest at the end, as logs are read."""
    async with engine(reactor, config) as opened:
        wanted = await filter_of(opened.engine, arguments)
        events = (await opened.engine.audit.latest(wanted, arguments.limit))[::-1]
        names = await names_of(opened.engine, events)
    rows = [HEADING, *(row(each, names) for each in events)]
    document = {"events": [event_json(each) for each in events]}
    return Answer(document, table(rows) if events else ["There is nothing of that in the audit."])


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
        f"{name.replace('_', ' ')}: {shown(names.get(value, value) if name == 'by' else value)}"
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


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


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
