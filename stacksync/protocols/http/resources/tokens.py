"""``/tokens``: what devices and applications keep instead of the password."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from stacksync.engine.sign_in.tokens import TokenOrder
from stacksync.errors import InvalidRequest, TokenNotFound
from stacksync.model import NewToken, Scope, Token
from stacksync.protocols.fields import Fields, as_object, identity, integer, iso, text
from stacksync.protocols.http.answer import Answer, json_answer
from stacksync.protocols.http.body import identity_in_path, read_object
from stacksync.protocols.http.resource import READING, ApiResource
from stacksync.protocols.http.resources.devices import FIELDS as DEVICE_FIELDS
from stacksync.protocols.http.resources.devices import read_description

if TYPE_CHECKING:
    from stacksync.engine.sign_in.tokens import Tokens
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import DeviceDescription, Principal
    from stacksync.protocols.http.request import ApiRequest

FIELDS = frozenset(["name", "scope", "device_id", "device", "expires_in"])


class TokensResource(ApiResource):
    """``GET /tokens``, ``POST /tokens``."""

    def __init__(self, authenticator: IAuthenticator, tokens: Tokens) -> None:
        super().__init__(authenticator, {b"GET": self._list, b"POST": self._make})
        self._tokens = tokens
        self.put_variable("token", TokenResource(authenticator, tokens))

    async def _list(self, request: ApiRequest, principal: Principal) -> Answer:
        tokens = await self._tokens.list(principal)
        return json_answer({"tokens": [encode_token(each) for each in tokens]})

    async def _make(self, request: ApiRequest, principal: Principal) -> Answer:
        made = await self._tokens.make(principal, read_order(read_object(request, FIELDS)))
        location = b"%s/%s" % (request.path, str(made.token.id).encode())
        return json_answer(encode_new_token(made), HTTPStatus.CREATED, ((b"Location", location),))


class TokenResource(ApiResource):
    """``DELETE /tokens/:id``."""

    # Whoever holds a token may give it up, whatever it is good for.
    unscoped_methods = READING | {b"DELETE"}

    def __init__(self, authenticator: IAuthenticator, tokens: Tokens) -> None:
        super().__init__(authenticator, {b"DELETE": self._revoke})
        self._tokens = tokens

    async def _revoke(self, request: ApiRequest, principal: Principal) -> Answer:
        token_id = identity_in_path(request, "token", TokenNotFound)
        await self._tokens.revoke(principal, token_id)
        return Answer(b"", HTTPStatus.NO_CONTENT)


def read_order(fields: Fields) -> TokenOrder:
    """:raises InvalidRequest: a field is not as it must be."""
    return TokenOrder(
        text(fields, "name"),
        read_scope(fields),
        identity(fields, "device_id"),
        read_device(fields),
        integer(fields, "expires_in"),
    )


def read_scope(fields: Fields) -> Scope:
    """:raises InvalidRequest: there is no such scope."""
    told = text(fields, "scope")
    if told is None:
        return Scope.SYNC
    try:
        return Scope(told)
    except ValueError:
        known = " or ".join(scope.value for scope in Scope)
        raise InvalidRequest("scope", f"must be {known}") from None


def read_device(fields: Fields) -> DeviceDescription | None:
    """:raises InvalidRequest: what describes the new device is not as it must be."""
    told = fields.get("device")
    if told is None:
        return None
    return read_description(as_object(told, "device", "device.", DEVICE_FIELDS), "device.")


def encode_new_token(made: NewToken) -> dict[str, Any]:
    """A token as it is told once, with its secret."""
    token = made.token
    return {
        "id": token.id,
        "token": made.secret,
        "account_id": token.account_id,
        "device_id": token.device_id,
        "name": token.name,
        "scope": token.scope.value,
        "created_at": iso(token.created_at),
        "expires_at": iso_or_none(token.expires_at),
    }


def encode_token(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "device_id": token.device_id,
        "application": token.application,
        "name": token.name,
        "scope": token.scope.value,
        "created_at": iso(token.created_at),
        "expires_at": iso_or_none(token.expires_at),
        "used_at": iso_or_none(token.used_at),
    }


def iso_or_none(moment: Any) -> str | None:
    return iso(moment) if moment is not None else None
