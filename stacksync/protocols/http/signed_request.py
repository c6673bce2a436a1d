"""What an application has signed (RFC 5849, section 3.4), as a request brings it.

Whether the signature is right is not known here.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from stacksync.errors import InvalidRequest, TooLarge
from stacksync.model import SignedRequest

if TYPE_CHECKING:
    from stacksync.interfaces import ISignatureAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

FORM = b"application/x-www-form-urlencoded"
PROTOCOL = b"oauth_"
CONSUMER = b"oauth_consumer_key"

FORM_BYTES = 64 * 1024
"""Of what is signed, each byte is encoded twice before anybody knows who sent it."""


async def signed_by_application(
    request: ApiRequest, signatures: ISignatureAuthenticator
) -> Principal:
    """Who is behind a signed request; what signs it is not among its parameters any more.

    :raises NotAuthenticated: the signature is not right.
    :raises InvalidRequest: it can't be told what was signed.
    """
    signed = await signed_request(request)
    principal = await signatures.authenticate_signed(signed, request.peer)
    for name in [each for each in request.args if each.startswith(PROTOCOL)]:
        del request.args[name]
    if is_form(request) and not request.is_streamed:
        fields = request.content.getvalue().split(b"&")
        kept = [each for each in fields if not each.startswith(PROTOCOL)]
        request.content = BytesIO(b"&".join(kept))
    return principal


def is_signed_inside(request: ApiRequest) -> bool:
    """Whether the signature is in the query or in a form (sections 3.5.2 and 3.5.3).

    A body that comes as a stream is content, and nobody looks for a signature in it.
    """
    if CONSUMER in request.args:
        return True
    return is_form(request) and not request.is_streamed and CONSUMER in request.content.getvalue()


async def signed_request(request: ApiRequest) -> SignedRequest:
    """What the signature of this request is over.

    Its body counts if it is a form (section 3.4.1.3.1).  A stream is read for
    that alone, and can be read once more afterwards.

    :raises InvalidRequest: address, header or form is not ASCII, as what is signed has to be.
    :raises TooLarge: a form has more than :data:`FORM_BYTES`.
    """
    return SignedRequest(
        method=in_ascii("method", request.method),
        url=address_of(request) + in_ascii("path", request.uri),
        authorization=in_ascii(
            "Authorization", request.requestHeaders.getRawHeaders(b"Authorization", [b""])[0]
        ),
        form=in_ascii("body", await form_of(request)),
        is_confidential=request.is_secure_for_secrets,
    )


def in_ascii(field: str, told: bytes) -> str:
    try:
        return told.decode("ascii")
    except UnicodeDecodeError:
        raise InvalidRequest(field, "must be ASCII, percent-encoded, to be signed") from None


def address_of(request: ApiRequest) -> str:
    """Scheme, host and port by which the client knows this service."""
    return request.site.sign_ins.public_url.rstrip("/") or request.external_url


def is_form(request: ApiRequest) -> bool:
    kinds = request.requestHeaders.getRawHeaders(b"Content-Type", [b""])
    return kinds[0].partition(b";")[0].strip().lower() == FORM


async def form_of(request: ApiRequest) -> bytes:
    """The body, if it is a form."""
    if not is_form(request):
        return b""
    form = b""
    if request.is_streamed:
        stream = request.body
        while len(form) <= FORM_BYTES and (piece := await stream.read()):
            form += piece
    else:
        form = request.content.getvalue()
    if len(form) > FORM_BYTES:
        raise TooLarge(
            f"the body is a form, which is signed with the request, and may have {FORM_BYTES}"
            " bytes: send content as application/octet-stream"
        )
    if request.is_streamed:
        request.put_back(form)
    return form
