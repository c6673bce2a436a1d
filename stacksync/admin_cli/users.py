"""``stacksync-admin user``: accounts, each a coroutine from what is opened to an answer."""

from __future__ import annotations

from collections.abc import Sequence

from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.output import Answer, account_json, size, table, workspaces_json
from stacksync.admin_cli.passwords import NewPassword
from stacksync.core import Core
from stacksync.model import Account, Job, Principal, SignIn, Workspace
from stacksync.provisioning import Password, Provisioned


async def add(opened: Core, arguments: Arguments, password: NewPassword | None) -> Answer:
    made = await opened.provisioning.add(
        arguments.email,
        name=arguments.name,
        quota_limit=arguments.quota or 0,
        password=Password(password.text) if password is not None else None,
        identity=arguments.keystone_user,
    )
    answer = await _told(opened, made)
    if made.completed:
        line = "The account was there already; what it lacked has been made."
        if not made.has_password:
            line += " Its password is what it was."
        answer = Answer(answer.document | {"completed": True}, [*answer.lines, line])
    if password is None or not password.made_up or not made.has_password:
        return answer
    return Answer(
        answer.document | {"password": password.text},
        [*answer.lines, f"Password   {password.text}  (shown only this once)"],
    )


async def change(opened: Core, arguments: Arguments, password: NewPassword | None) -> Answer:
    changed = await opened.provisioning.change(
        arguments.email,
        new_email=arguments.new_email,
        name=arguments.name,
        quota_limit=arguments.quota,
        password=Password(password.text) if password is not None else None,
    )
    answer = await _told(opened, changed)
    if password is None:
        return answer
    return Answer(
        answer.document | {"revoked": changed.revoked},
        [*answer.lines, _new_password(changed.account.email, changed.revoked)],
    )


async def reset(opened: Core, arguments: Arguments, password: NewPassword | None) -> Answer:
    assert password is not None
    changed = await opened.provisioning.change(arguments.email, password=Password(password.text))
    email, revoked = changed.account.email, changed.revoked
    document: dict[str, object] = {"email": email, "revoked": revoked}
    lines = [_new_password(email, revoked)]
    if password.made_up:
        document |= {"password": password.text}
        lines.append(f"Password   {password.text}  (shown only this once)")
    return Answer(document, lines)


async def remove(opened: Core, arguments: Arguments, _: NewPassword | None) -> Answer:
    unfinished = await opened.provisioning.remove(arguments.email, keep_data=arguments.keep_data)
    kept = ", its containers stay" if arguments.keep_data else ""
    return Answer(
        {"removed": arguments.email, "unfinished": _jobs_json(unfinished)},
        [f"{arguments.email} is removed{kept}.", *_jobs_lines(unfinished)],
    )


async def show(opened: Core, arguments: Arguments, _: NewPassword | None) -> Answer:
    account = await opened.engine.accounts.by_email(arguments.email)
    return await _told(opened, Provisioned(account))


async def list_all(opened: Core, _: Arguments, __: NewPassword | None) -> Answer:
    accounts = await opened.engine.accounts.list()
    rows = [("E-mail", "Name", "Used", "Quota", "Created")]
    rows += [
        (each.email, each.name, size(each.quota_used), size(each.quota_limit), _day(each))
        for each in accounts
    ]
    lines = table(rows) if accounts else ["There are no accounts: stacksync-admin user add EMAIL"]
    return Answer({"accounts": [account_json(each) for each in accounts]}, lines)


USERS = {
    "add": add,
    "set": change,
    "passwd": reset,
    "remove": remove,
    "show": show,
    "list": list_all,
}


async def _told(opened: Core, made: Provisioned) -> Answer:
    principal = Principal(made.account.id, SignIn.OPERATOR)
    workspaces = await opened.engine.workspaces.list(principal)
    document = account_json(made.account) | {"workspaces": workspaces_json(workspaces)}
    lines = table(_description(made.account, workspaces))
    if made.unfinished:
        document |= {"unfinished": _jobs_json(made.unfinished)}
        lines += _jobs_lines(made.unfinished)
    return Answer(document, lines)


def _description(account: Account, workspaces: tuple[Workspace, ...]) -> list[tuple[str, str]]:
    share = account.quota_used / account.quota_limit if account.quota_limit else 1.0
    used = f"{size(account.quota_used)} of {size(account.quota_limit)} ({share:.0%})"
    rows = [
        ("E-mail", account.email),
        ("Name", account.name),
        ("Id", str(account.id)),
        *([("Keystone", account.identity_id)] if account.identity_id else []),
        ("Used", used),
        ("Created", _day(account)),
    ]
    rows += [
        ("Workspace", f"{each.id}, {each.name}, revision {each.latest_revision}")
        for each in workspaces
    ]
    return rows


def _jobs_json(jobs: Sequence[Job]) -> list[dict[str, object]]:
    return [{"id": each.id, "kind": str(each.kind), "problem": each.problem} for each in jobs]


def _jobs_lines(jobs: Sequence[Job]) -> list[str]:
    if not jobs:
        return []
    told = [f"  {each.kind!s}: {each.problem or 'waits'}" for each in jobs]
    return ["Not done yet, and tried again by the service (stacksync-admin jobs list):", *told]


def _new_password(email: str, revoked: int) -> str:
    if not revoked:
        return f"{email} has a new password; there were no tokens to revoke."
    ended = "1 token is" if revoked == 1 else f"{revoked} tokens are"
    return f"{email} has a new password; {ended} revoked: devices and applications sign in anew."


def _day(account: Account) -> str:
    return account.created_at.strftime("%Y-%m-%d %H:%M UTC")
