"""The commands, each a coroutine from reactor and settings to an answer."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred

from stacksync.admin_cli import passwords
from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.check import check_all
from stacksync.admin_cli.garbage import collect_garbage
from stacksync.admin_cli.output import Answer, account_json, size, table, workspaces_json
from stacksync.admin_cli.passwords import NewPassword
from stacksync.admin_cli.session import database_url, engine
from stacksync.config import Config
from stacksync.core import MIGRATION_TIMEOUT, Core
from stacksync.db.migrations import migrate, status
from stacksync.embedded.threads import in_thread
from stacksync.model import Account, Principal, SignIn, Workspace

Command = Callable[[Any, Config], Coroutine[Deferred[Any], Any, Answer]]


def command_for(arguments: Arguments) -> Command:
    """What a command line asks for; asks for a password first, if one is needed.

    :raises InvalidRequest: the password that was given is none.
    """
    password = _password(arguments)

    async def run(reactor: Any, config: Config) -> Answer:
        if arguments.noun == "db":
            return await DATABASE[arguments.verb](reactor, config)
        if arguments.noun in UPKEEP:
            return await UPKEEP[arguments.noun](reactor, config, arguments)
        async with engine(reactor, config) as opened:
            return await ACCOUNTS[arguments.verb](opened, arguments, password)

    return run


def _password(arguments: Arguments) -> NewPassword | None:
    adding = arguments.noun == "user" and arguments.verb == "add"
    if adding or getattr(arguments, "password_stdin", False):
        return passwords.read(arguments.password_stdin, arguments.email)
    return None


async def add(opened: Core, arguments: Arguments, password: NewPassword | None) -> Answer:
    assert password is not None
    account = await opened.engine.accounts.create(
        arguments.email,
        name=arguments.name,
        quota_limit=arguments.quota or 0,
        password_hash=await opened.hasher.hash(password.text),
    )
    answer = await _told(opened, account)
    if not password.made_up:
        return answer
    return Answer(
        answer.document | {"password": password.text},
        [*answer.lines, f"Password   {password.text}  (shown only this once)"],
    )


async def change(opened: Core, arguments: Arguments, password: NewPassword | None) -> Answer:
    account = await opened.engine.accounts.by_email(arguments.email)
    hashed = await opened.hasher.hash(password.text) if password is not None else None
    changed = await opened.engine.accounts.update(
        account.id,
        email=arguments.new_email,
        name=arguments.name,
        quota_limit=arguments.quota,
        password_hash=hashed,
    )
    return await _told(opened, changed)


async def show(opened: Core, arguments: Arguments, _: NewPassword | None) -> Answer:
    return await _told(opened, await opened.engine.accounts.by_email(arguments.email))


async def list_all(opened: Core, _: Arguments, __: NewPassword | None) -> Answer:
    accounts = await opened.engine.accounts.list()
    rows = [("E-mail", "Name", "Used", "Quota", "Created")]
    rows += [
        (each.email, each.name, size(each.quota_used), size(each.quota_limit), _day(each))
        for each in accounts
    ]
    lines = table(rows) if accounts else ["There are no accounts: stacksync-admin user add EMAIL"]
    return Answer({"accounts": [account_json(each) for each in accounts]}, lines)


async def migrate_database(reactor: Any, config: Config) -> Answer:
    async with database_url(reactor, config) as url:
        done = await in_thread(reactor, MIGRATION_TIMEOUT, lambda _: migrate(url))
    return Answer({"done": done}, done or ["The schema was up to date already."])


async def database_status(reactor: Any, config: Config) -> Answer:
    async with database_url(reactor, config) as url:
        found = await in_thread(reactor, MIGRATION_TIMEOUT, lambda _: status(url))
    lines = [f"applied  {each}" for each in found.applied]
    lines += [f"pending  {each}" for each in found.pending]
    if not found.functions_current:
        lines.append("pending  the functions")
    lines.append(
        "The schema is up to date." if found.current else "Run stacksync-admin db migrate."
    )
    document = {
        "current": found.current,
        "applied": list(found.applied),
        "pending": list(found.pending),
        "functions_current": found.functions_current,
    }
    return Answer(document, lines, 0 if found.current else 1)


ACCOUNTS = {"add": add, "set": change, "show": show, "list": list_all}

DATABASE = {"migrate": migrate_database, "status": database_status}

UPKEEP = {"gc": collect_garbage, "fsck": check_all}


async def _told(opened: Core, account: Account) -> Answer:
    principal = Principal(account.id, SignIn.OPERATOR)
    workspaces = await opened.engine.workspaces.list(principal)
    return Answer(
        account_json(account) | {"workspaces": workspaces_json(workspaces)},
        table(_description(account, workspaces)),
    )


def _description(account: Account, workspaces: tuple[Workspace, ...]) -> list[tuple[str, str]]:
    share = account.quota_used / account.quota_limit if account.quota_limit else 1.0
    used = f"{size(account.quota_used)} of {size(account.quota_limit)} ({share:.0%})"
    rows = [
        ("E-mail", account.email),
        ("Name", account.name),
        ("Id", str(account.id)),
        ("Used", used),
        ("Created", _day(account)),
    ]
    rows += [
        ("Workspace", f"{each.id}, {each.name}, revision {each.latest_revision}")
        for each in workspaces
    ]
    return rows


def _day(account: Account) -> str:
    return account.created_at.strftime("%Y-%m-%d %H:%M UTC")
