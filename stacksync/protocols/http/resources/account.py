"""``/account``: who I am and how much room I have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacksync.protocols.fields import iso
from stacksync.protocols.http.answer import Answer, json_answer
from stacksync.protocols.http.resource import ApiResource
from stacksync.protocols.http.resources.passwords import PasswordResource

if TYPE_CHECKING:
    from stacksync.engine.accounts import Accounts
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest


class AccountResource(ApiResource):
    """``GET /account``."""

    def __init__(self, authenticator: IAuthenticator, accounts: Accounts) -> None:
        super().__init__(authenticator, {b"GET": self._show})
        self._accounts = accounts
        self.putChild(b"password", PasswordResource(authenticator, accounts))

    async def _show(self, request: ApiRequest, principal: Principal) -> Answer:
        account = await self._accounts.of(principal)
        return json_answer(
            {
                "id": account.id,
                "email": account.email,
                "name": account.name,
                "quota_limit": account.quota_limit,
                "quota_used": account.quota_used,
                "created_at": iso(account.created_at),
            }
        )
