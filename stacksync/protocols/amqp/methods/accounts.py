"""``getAccountInfo``, and accounts as other answers tell them."""

from __future__ import annotations

from typing import Any

from stacksync.engine.accounts import Accounts
from stacksync.model import Account
from stacksync.protocols.amqp.methods.method import Call, Method, Methods
from stacksync.protocols.amqp.methods.storage_place import NO_PLACE, StoragePlace, without_nulls
from stacksync.protocols.fields import required, text


def account_info(account: Account, place: StoragePlace = NO_PLACE) -> dict[str, Any]:
    """``AccountInfo``; where the store is Swift, how the device signs in there."""
    return {
        "userId": account.id,
        "name": account.name,
        "email": account.email,
        "quotaLimit": account.quota_limit,
        "quotaUsed": account.quota_used,
        **without_nulls(
            {
                "swiftTenant": place.project,
                "swiftUser": account.identity_id if place.project is not None else None,
                "swiftAuthUrl": place.auth_url,
            }
        ),
    }


def user(account: Account, place: StoragePlace = NO_PLACE) -> dict[str, Any]:
    """``User``."""
    return {
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "quotaLimit": account.quota_limit,
        "quotaUsed": account.quota_used,
        **without_nulls(
            {
                "swiftUser": account.identity_id if place.url is not None else None,
                "swiftAccount": place.account,
            }
        ),
    }


class AccountMethods:
    """The methods about the caller's account."""

    def __init__(self, accounts: Accounts, place: StoragePlace = NO_PLACE) -> None:
        self._accounts = accounts
        self._place = place

    def methods(self) -> Methods:
        return {"getAccountInfo": Method(self._get_account_info)}

    async def _get_account_info(self, call: Call) -> dict[str, Any]:
        email = required(text(call.fields, "email"), "email")
        return account_info(await self._accounts.named(call.principal, email), self._place)
