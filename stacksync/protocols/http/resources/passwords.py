"""``/account/password``: another one for whoever knows the present one."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from stacksync.errors import Conflict
from stacksync.protocols.fields import required, text
from stacksync.protocols.http.answer import Answer
from stacksync.protocols.http.body import read_object
from stacksync.protocols.http.resource import ApiResource

if TYPE_CHECKING:
    from stacksync.engine.accounts import Accounts
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

FIELDS = frozenset(["password"])


class PasswordResource(ApiResource):
    """``PUT /account/password``."""

    def __init__(self, authenticator: IAuthenticator, accounts: Accounts) -> None:
        super().__init__(authenticator, {b"PUT": self._change})
        self._accounts = accounts

    async def _change(self, request: ApiRequest, principal: Principal) -> Answer:
        fields = read_object(request, FIELDS)
        password = required(text(fields, "password"), "password")
        changes = request.site.passwords
        if changes is None:
            account = await self._accounts.of(principal)
            raise Conflict(f"the password of {account.email} is not changed by this service")
        await changes.change(principal, password)
        return Answer(b"", HTTPStatus.NO_CONTENT)
