"""``stacksync-admin token``: what devices and applications sign in with."""

from __future__ import annotations

from typing import Any

from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.output import Answer, instant_json, minute, table
from stacksync.engine import Engine
from stacksync.model import Principal, SignIn, Token


async def list_tokens(engine: Engine, arguments: Arguments) -> Answer:
    emails = {each.id: each.email for each in await engine.accounts.list()}
    if arguments.email:
        account = await engine.accounts.by_email(arguments.email)
        tokens = await engine.tokens.list(Principal(account.id, SignIn.OPERATOR))
    else:
        tokens = await engine.tokens.of_all()
    rows = [("Id", "E-mail", "Name", "Of", "Scope", "Expires", "Used")]
    rows += [
        (
            str(each.id),
            emails.get(each.account_id, ""),
            each.name,
            each.application or f"device {each.device_id}",
            each.scope.value,
            minute(each.expires_at) if each.expires_at is not None else "never",
            minute(each.used_at) if each.used_at is not None else "never",
        )
        for each in tokens
    ]
    lines = table(rows) if tokens else ["There are no tokens."]
    return Answer({"tokens": [token_json(each, emails) for each in tokens]}, lines)


async def revoke_tokens(engine: Engine, arguments: Arguments) -> Answer:
    if arguments.token_id is not None:
        ended = await engine.tokens.revoke_as_operator(arguments.token_id)
        return Answer({"revoked": 1}, [f"Token {ended.id} ({ended.name}) is revoked."])
    account = await engine.accounts.by_email(arguments.email)
    revoked = await engine.tokens.revoke_all(Principal(account.id, SignIn.OPERATOR))
    if not revoked:
        return Answer({"revoked": 0}, [f"{account.email} has no tokens."])
    told = "1 token is" if revoked == 1 else f"{revoked} tokens are"
    return Answer({"revoked": revoked}, [f"{account.email}: {told} revoked."])


VERBS = {"list": list_tokens, "revoke": revoke_tokens}


def token_json(token: Token, emails: dict[Any, str]) -> dict[str, Any]:
    return {
        "id": str(token.id),
        "account_id": str(token.account_id),
        "email": emails.get(token.account_id),
        "name": token.name,
        "scope": token.scope.value,
        "device_id": str(token.device_id) if token.device_id is not None else None,
        "application": token.application,
        "created_at": instant_json(token.created_at),
        "expires_at": instant_json(token.expires_at),
        "used_at": instant_json(token.used_at),
    }
