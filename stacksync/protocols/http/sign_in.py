"""Who a request says it is from: HTTP Basic authentication (RFC 7617), and the device."""

from __future__ import annotations

import binascii
from binascii import a2b_base64
from typing import TYPE_CHECKING
from uuid import UUID

from stacksync.errors import InvalidRequest, NotAuthenticated
from stacksync.protocols.fields import parse_uuid

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest


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
