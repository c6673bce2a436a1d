"""Who a request says it is from, in whichever way: by the scheme of its ``Authorization``.

``Basic`` (RFC 7617): e-mail and password; ``Bearer`` (RFC 6750): a device's
token; ``OAuth`` (RFC 5849): signed by an application.  A token of Keystone's
has a header of its own, ``X-Auth-Token``.  And the device, if the request
names one.
"""

from __future__ import annotations

import binascii
from binascii import a2b_base64
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import frozen

from stacksync.engine.access import check_is_device
from stacksync.errors import InvalidRequest, NotAuthenticated
from stacksync.protocols.fields import parse_uuid
from stacksync.protocols.http.signed_request import is_signed_inside, signed_by_application

if TYPE_CHECKING:
    from stacksync.interfaces import (
        IAuthenticator,
        ISignatureAuthenticator,
        ITokenAuthenticator,
        ITokenProvider,
    )
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

NOBODY = "sign in: Authorization has to be Basic (e-mail and password), Bearer (token) or OAuth"
SEVERAL = "X-Auth-Token or Authorization, not both"


@frozen
class SignInWays:
    """The ways to sign in besides e-mail and password; ``None``: not taken here.

    :ivar bearer: knows the tokens of devices.
    :ivar signatures: knows what applications have signed.
    :ivar provider: gives applications what they sign with.
    :ivar keystone: knows the tokens of the identity service, in ``X-Auth-Token``.
    :ivar public_url: where applications find this service, which their signatures cover;
        empty: where their requests say.
    """

    bearer: ITokenAuthenticator | None = None
    signatures: ISignatureAuthenticator | None = None
    provider: ITokenProvider | None = None
    keystone: ITokenAuthenticator | None = None
    public_url: str = ""


async def signed_in(request: ApiRequest, authenticator: IAuthenticator) -> Principal:
    """Who is behind a request.

    :raises NotAuthenticated: nobody, or nobody we know.
    """
    ways = request.site.sign_ins
    told = request.requestHeaders.getRawHeaders(b"Authorization")
    token = auth_token(request)
    if token is not None:
        if told is not None:
            raise NotAuthenticated(SEVERAL)
        if ways.keystone is None:
            raise NotAuthenticated(f"X-Auth-Token: no such tokens are taken here; {NOBODY}")
        return await ways.keystone.authenticate_token(token, request.peer)
    if told is None and ways.signatures is not None and is_signed_inside(request):
        return await signed_by_application(request, ways.signatures)
    scheme, rest = authorization(told)
    if scheme == b"basic":
        return await authenticator.authenticate(*credentials(rest), request.peer)
    if scheme == b"bearer" and ways.bearer is not None:
        return await ways.bearer.authenticate_token(bearer_token(rest), request.peer)
    if scheme == b"oauth" and ways.signatures is not None:
        return await signed_by_application(request, ways.signatures)
    raise NotAuthenticated(NOBODY)


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


def authorization(values: Sequence[bytes] | None) -> tuple[bytes, bytes]:
    """The scheme of the header ``Authorization``, in small letters, and what stands after it.

    :param values: what such headers say.
    :raises NotAuthenticated: there is no such header, or several.
    """
    if values is None:
        raise NotAuthenticated(NOBODY)
    if len(values) != 1:
        raise NotAuthenticated("Authorization: one header, not several")
    scheme, _, rest = values[0].partition(b" ")
    return scheme.lower(), rest.strip()


def bearer_token(text: bytes) -> str:
    """:raises NotAuthenticated: it can't be a token (RFC 6750, section 2.1)."""
    if not text.isascii():
        raise NotAuthenticated("Authorization: after Bearer comes a token, in ASCII")
    return text.decode("ascii")


def credentials(encoded: bytes) -> tuple[str, str]:
    """The e-mail and the password that follow ``Basic``.

    :raises NotAuthenticated: they are not as RFC 7617 has them, in UTF-8.
    """
    try:
        text = a2b_base64(encoded, strict_mode=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise NotAuthenticated(
            "Authorization: after Basic comes base64 of e-mail:password in UTF-8"
        ) from None
    email, colon, password = text.partition(":")
    if not colon:
        raise NotAuthenticated("Authorization: no colon between e-mail and password")
    return email, password


def acting(request: ApiRequest, principal: Principal) -> Principal:
    """The principal with where the request comes from: its address, and its device.

    :raises Forbidden: the token is another device's than the request names.
    :raises InvalidRequest: what the request names is no device.
    """
    named = device(request) or principal.device_id
    if named is not None:
        check_is_device(principal, named)
    return principal.acting(named, request.peer)


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
