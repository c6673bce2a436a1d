"""``getAccountInfo``, and accounts as other answers tell them."""

from __future__ import annotations

from typing import Any

from stacksync.engine.accounts import Accounts
from stacksync.model import Account
from stacksync.protocols.amqp.method import Call, Method, Methods
from stacksync.protocols.fields import required, text


def account_info(account: Account) -> dict[str, Any]:
    """``AccountInfo``."""
    return {
        "userId": account.id,
        "name": account.name,
        "email": account.email,
        "quotaLimit": account.quota_limit,
        "quotaUsed": account.quota_used,
    }


def user(account: Account) -> dict[str, Any]:
    """``User``."""
    return {
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "quotaLimit": account.quota_limit,
        "quotaUsed": account.quota_used,
    }


class AccountMethods:
    """The methods about the caller's account."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def methods(self) -> Methods:
        return {"getAccountInfo": Method(self._get_account_info)}

    async def _get_account_info(self, call: Call) -> dict[str, Any]:
        email = required(text(call.fields, "email"), "email")
        return account_info(await self._accounts.named(call.principal, email))
