"""What may be written after ``stacksync-admin``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from stacksync import __version__
from stacksync.admin_cli.audit_arguments import add_audit
from stacksync.admin_cli.consumer_arguments import add_consumer
from stacksync.admin_cli.token_arguments import add_devices, add_tokens
from stacksync.config.values import read_duration, read_size
from stacksync.model import AuditKind

CONFIG_VARIABLE = "STACKSYNC_CONFIG"

DEFAULT_QUOTA = "5G"
DEFAULT_AGE = "7d"

_EXPLANATION = f"""\
Without -c, and without {CONFIG_VARIABLE} in the environment, the embedded database is
used; it is started for the moment if the service doesn't run.

With --json the answer is one JSON object on stdout. user add, show and set: id, email, name,
quota_limit and quota_used (bytes), identity_id (in Keystone), created_at, workspaces (each with
id, name and latest_revision), of user add password, if one was made up, completed, if the account
was there but not all that belongs to it, and unfinished (jobs, each with id, kind and problem)
what the service has still to do; of user set with a password revoked, how many tokens ended. user
passwd: email, revoked, and password, if one was made up. user remove: removed, unfinished. user
list: accounts. check: problems, unknown, notes. db status: current, applied, pending,
functions_current. db migrate: done. An error is {{"error": {{"kind": …, "message": …}}}} on stderr.
gc: dry_run, interrupted, unknown_containers, workspaces (each with id, owner, versions, items,
uploads, chunks, bytes), audit_lines. fsck: problems (each with kind, message, repaired and what it
is about), notes, interrupted, and what was looked at. jobs list: jobs; jobs show: one of them, with
id, kind, queue, arguments, after_id, state (waiting, running, done), attempts, problem, progress,
total, run_at, created_at, finished_at. jobs retry: retried (ids). consumer add and list: key, name,
callback, created_at, revoked_at; of add secret. consumer revoke: revoked. audit: events, oldest
first, each with id, at, kind, account_id, email, address, sign_in, count and detail. token list:
tokens, each with id, account_id, email, name, scope, device_id or application, created_at,
expires_at, used_at; token revoke: revoked (how many). device list: devices; device revoke: revoked
(its id).

Exit status: 0 done; 1 refused or failed, and for db status: not up to date, for fsck: there
are problems; 2 wrong usage; 130 gc or fsck was interrupted.
"""


class Arguments(argparse.Namespace):
    """The parsed command line; which options there are depends on ``verb``."""

    config: str | None
    json: bool
    noun: str
    verb: str
    email: str
    name: str | None
    quota: int | None
    new_email: str | None
    password_stdin: bool
    keystone_user: str | None
    keep_data: bool
    dry_run: bool
    older_than: float
    repair: bool
    content: bool
    all: bool
    id: int | None
    token_id: UUID | None
    device_id: UUID | None
    callback: str | None
    key: str
    account: str | None
    kinds: list[AuditKind] | None
    since: datetime | None
    limit: int


def parse(argv: Sequence[str]) -> Arguments:
    """Read a command line.

    :raises SystemExit: status 2 for wrong usage, told on stderr; 0 after
        ``--help`` and ``--version``.
    """
    parser = argparse.ArgumentParser(
        "stacksync-admin",
        description="Looks after StackSync's accounts and database.",
        epilog=_EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    _add_common(parser, config=None, json=False)
    nouns = parser.add_subparsers(
        dest="noun", required=True, metavar="user|token|device|db|gc|fsck|jobs|consumer|audit|check"
    )
    _add_user(nouns.add_parser("user", help="accounts"))
    _add_database(nouns.add_parser("db", help="the database's schema"))
    _add_garbage(nouns.add_parser("gc", help="remove what is not kept any more"))
    _add_check(nouns.add_parser("fsck", help="look whether all is sound, and repair it"))
    _add_jobs(nouns.add_parser("jobs", help="the work that requests have left behind"))
    consumer = nouns.add_parser("consumer", help="applications that may ask people for access")
    for verb in add_consumer(consumer):
        _add_common(verb)
    audit = nouns.add_parser("audit", help="who signed in, shared, and changed what")
    add_audit(audit)
    _add_common(audit)
    tokens = add_tokens(nouns.add_parser("token", help="what devices sign in with"))
    devices = add_devices(nouns.add_parser("device", help="what people synchronise with"))
    for verb in (*tokens, *devices):
        _add_common(verb)
    _add_readiness(nouns.add_parser("check", help="look what the service needs and has not got"))
    arguments = parser.parse_args(argv, Arguments())
    if arguments.noun == "user" and arguments.verb == "set" and not _changes(arguments):
        parser.error("user set: say what to change: --name, --quota, --email or --password-stdin")
    return arguments


def _add_user(user: argparse.ArgumentParser) -> None:
    verbs = user.add_subparsers(
        dest="verb", required=True, metavar="add|list|show|set|passwd|remove"
    )
    add = verbs.add_parser("add", help="make an account")
    add.add_argument("email", metavar="EMAIL")
    add.add_argument("--name", help="what the person is called; else the start of the e-mail")
    add.add_argument(
        "--quota", type=_size, default=DEFAULT_QUOTA, help="512M, 5G (the default), 1T"
    )
    add.add_argument(
        "--keystone-user",
        metavar="USER",
        help="the id or name of somebody who is in Keystone already, and signs in as before",
    )
    _add_password(add, "else it is asked for on a terminal, and made up elsewhere")
    verbs.add_parser("list", help="all accounts")
    verbs.add_parser("show", help="one account").add_argument("email", metavar="EMAIL")
    change = verbs.add_parser("set", help="change an account; what is left out stays")
    change.add_argument("email", metavar="EMAIL")
    change.add_argument("--name")
    change.add_argument("--quota", type=_size, help="512M, 5G, 1T")
    change.add_argument("--email", dest="new_email", metavar="NEW", help="its new e-mail")
    _add_password(change, "on a terminal it is asked for")
    reset = verbs.add_parser("passwd", help="give an account a new password; its tokens end")
    reset.add_argument("email", metavar="EMAIL")
    _add_password(reset, "else it is asked for on a terminal, and made up elsewhere")
    remove = verbs.add_parser("remove", help="remove an account with all that is its own")
    remove.add_argument("email", metavar="EMAIL")
    remove.add_argument(
        "--keep-data", action="store_true", help="leave its containers in the store"
    )
    for verb in verbs.choices.values():
        _add_common(verb)


def _add_database(database: argparse.ArgumentParser) -> None:
    verbs = database.add_subparsers(dest="verb", required=True, metavar="migrate|status")
    verbs.add_parser("migrate", help="bring the schema up to date")
    verbs.add_parser("status", help="whether the schema is up to date")
    for verb in verbs.choices.values():
        _add_common(verb)


def _add_garbage(garbage: argparse.ArgumentParser) -> None:
    garbage.description = (
        "Removes earlier versions and deleted items beyond what [retention] keeps, expired"
        " uploads, and then the chunks that nothing refers to. The service may run meanwhile."
    )
    garbage.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    garbage.add_argument(
        "--older-than",
        type=_duration,
        default=DEFAULT_AGE,
        metavar="TIME",
        help="leave chunks that were stored or asked for since then: 12h, 7d (the default);"
        " less than 1h is safe only while nobody uploads",
    )
    _add_common(garbage)


def _add_check(check: argparse.ArgumentParser) -> None:
    check.description = (
        "Looks whether the tree, the versions, the quotas and the chunks in the store fit"
        " together. The service may run meanwhile."
    )
    check.add_argument("--repair", action="store_true", help="put right what can be put right")
    check.add_argument(
        "--no-content",
        dest="content",
        action="store_false",
        help="do not read the chunks, only see whether they are there",
    )
    _add_common(check)


def _add_readiness(readiness: argparse.ArgumentParser) -> None:
    readiness.description = (
        "Asks the database, the store, the broker and, with OpenStack, Keystone whether they let"
        " the service do what it has to; says what is missing, and what puts it right. Tries at the"
        " broker its own login, guest's, and one that nobody has: of that last one there is a line"
        " in the audit, if the broker asks the service whom it may let in. Starts nothing but an"
        " embedded database. Each line is ok, unknown (what can't be told now, and when it can be)"
        " or missing."
    )
    _add_common(readiness)


def _add_jobs(jobs: argparse.ArgumentParser) -> None:
    verbs = jobs.add_subparsers(dest="verb", required=True, metavar="list|show|retry")
    listed = verbs.add_parser("list", help="what is to be done, and what is in its way")
    listed.add_argument("--all", action="store_true", help="with what was done lately")
    verbs.add_parser("show", help="one job").add_argument("id", type=int, metavar="ID")
    retry = verbs.add_parser("retry", help="do not wait for the time of the next try")
    which = retry.add_mutually_exclusive_group(required=True)
    which.add_argument("id", type=int, nargs="?", metavar="ID")
    which.add_argument("--all", action="store_true", help="all that have failed")
    for verb in verbs.choices.values():
        _add_common(verb)


def _add_password(parser: argparse.ArgumentParser, otherwise: str) -> None:
    parser.add_argument(
        "--password-stdin", action="store_true", help=f"read the password from stdin; {otherwise}"
    )


def _add_common(parser: argparse.ArgumentParser, **defaults: object) -> None:
    """Options that may stand before and after the verb; after it, none of them is a default."""
    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        default=defaults.get("config", argparse.SUPPRESS),
        help="the service's settings",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        default=defaults.get("json", argparse.SUPPRESS),
        help="answer in JSON",
    )


def _changes(arguments: Arguments) -> bool:
    values = (arguments.name, arguments.quota, arguments.new_email)
    return arguments.password_stdin or any(value is not None for value in values)


def _duration(text: str) -> float:
    try:
        return read_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _size(text: str) -> int:
    try:
        return read_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
