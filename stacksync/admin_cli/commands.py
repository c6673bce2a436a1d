"""The commands, each a coroutine from reactor and settings to an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from twisted.internet.defer import Deferred

from stacksync.admin_cli import consumers, devices, passwords, tokens
from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.audit import show_audit
from stacksync.admin_cli.check import check_all
from stacksync.admin_cli.garbage import collect_garbage
from stacksync.admin_cli.jobs import look_after_jobs
from stacksync.admin_cli.output import Answer
from stacksync.admin_cli.passwords import NewPassword
from stacksync.admin_cli.readiness import check_readiness
from stacksync.admin_cli.session import database_url, engine
from stacksync.admin_cli.users import USERS
from stacksync.auth.password_policy import PasswordPolicy
from stacksync.config import Config
from stacksync.core import MIGRATION_TIMEOUT
from stacksync.db.migrations import migrate, status
from stacksync.embedded.threads import in_thread
from stacksync.engine import Engine

Command = Callable[[Any, Config], Coroutine[Deferred[Any], Any, Answer]]
Verb = Callable[[Engine, Arguments], Awaitable[Answer]]


def command_for(arguments: Arguments, settings: Config) -> Command:
    """What a command line asks for; asks for a password first, if one is needed.

    :raises InvalidRequest: the password that was given is none.
    """
    password = _password(arguments, settings)

    async def run(reactor: Any, config: Config) -> Answer:
        if arguments.noun == "db":
            return await DATABASE[arguments.verb](reactor, config)
        if arguments.noun in UPKEEP:
            return await UPKEEP[arguments.noun](reactor, config, arguments)
        async with engine(reactor, config) as opened:
            if arguments.noun in SIGN_INS:
                return await SIGN_INS[arguments.noun][arguments.verb](opened.engine, arguments)
            return await USERS[arguments.verb](opened, arguments, password)

    return run


def _password(arguments: Arguments, settings: Config) -> NewPassword | None:
    if arguments.noun != "user":
        return None
    adding = arguments.verb == "add"
    if adding and arguments.keystone_user and settings.auth.passwords == "keystone":
        # Whom Keystone knows already has a password there, and needs no other one.
        return None
    if adding or arguments.verb == "passwd" or getattr(arguments, "password_stdin", False):
        policy = PasswordPolicy(settings.auth.password_min)
        return passwords.read(arguments.password_stdin, arguments.email, policy)
    return None


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


DATABASE = {"migrate": migrate_database, "status": database_status}

UPKEEP = {
    "audit": show_audit,
    "gc": collect_garbage,
    "fsck": check_all,
    "jobs": look_after_jobs,
    "check": check_readiness,
}

SIGN_INS: Mapping[str, Mapping[str, Verb]] = {
    "consumer": consumers.VERBS,
    "token": tokens.VERBS,
    "device": devices.VERBS,
}
