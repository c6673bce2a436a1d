"""Who a request says it is from: HTTP Basic authentication (RFC 7617), or a token of Keystone's.

And the device, if it names one.
"""

from __future__ import annotations

import binascii
from binascii import a2b_base64
from typing import TYPE_CHECKING
from uuid import UUID

from stacksync.errors import InvalidRequest, NotAuthenticated
from stacksync.protocols.fields import parse_uuid

if TYPE_CHECKING:
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest


async def signed_in(request: ApiRequest, authenticator: IAuthenticator) -> Principal:
    """Who is behind a request.

    :raises NotAuthenticated: nobody, or nobody we know.
    """
    token = auth_token(request)
    if token is None:
        return await authenticator.authenticate(*credentials(request), request.peer)
    if request.requestHeaders.hasHeader(b"Authorization"):
        raise NotAuthenticated("X-Auth-Token or Authorization, not both")
    tokens = request.site.tokens
    if tokens is None:
        raise NotAuthenticated(
            "X-Auth-Token: no tokens are taken here; sign in with e-mail and password"
            " (HTTP Basic authentication)"
        )
    return await tokens.authenticate_token(token, request.peer)


def auth_token(request: ApiRequest) -> str | None:
    """The token of Keystone's that a request carries, in the header ``X-Auth-Token``.

    :raises NotAuthenticated: there are several, or it can't be one.
    """
    values = request.requestHeaders.getRawHeaders(b"X-Auth-Token")
    if values is None:
        return None
    if len(values) != 1 or not values[0].isascii():
        raise NotAuthenticated("X-Auth-Token: one token, in ASCII")
    return values[0].decode("ascii")


def credentials(request: ApiRequest) -> tuple[str, str]:
    """The e-mail and the password that a request carries.

    :raises NotAuthenticated: none, or not as RFC 7617 has them, in UTF-8.
    """
    values = request.requestHeaders.getRawHeaders(b"Authorization")
    if values is None:
        raise NotAuthenticated("sign in with e-mail and password (HTTP Basic authentication)")
    if len(values) != 1:
        raise NotAuthenticated("Authorization: one header, not several")
    scheme, _, encoded = values[0].partition(b" ")
    if scheme.lower() != b"basic":
        raise NotAuthenticated("Authorization: the scheme is Basic, no other")
    try:
        text = a2b_base64(encoded.strip(), strict_mode=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise NotAuthenticated(
            "Authorization: after Basic comes base64 of e-mail:password in UTF-8"
        ) from None
    email, colon, password = text.partition(":")
    if not colon:
        raise NotAuthenticated("Authorization: no colon between e-mail and password")
    return email, password


def device(request: ApiRequest) -> UUID | None:
    """The device that a request says it comes from, in the header ``StackSync-Device``.

    :raises InvalidRequest: it is no UUID.
    """
    values = request.requestHeaders.getRawHeaders(b"StackSync-Device")
    if values is None:
        return None
    found = parse_uuid(values[0].decode("utf-8", "replace")) if len(values) == 1 else None
    if found is None:
        raise InvalidRequest("StackSync-Device", "must be one UUID")
    return found
