"""What the forms of our pages send (HTML, ``application/x-www-form-urlencoded``), read strictly.

A form that is not as the page has made it is none of ours.  What the fields
mean is the pages' own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from attrs import frozen

from stacksync.errors import InvalidRequest, TooLarge
from stacksync.protocols.http.errors import Refusal
from stacksync.protocols.http.signed_request import is_form

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

BYTES = 16 * 1024
"""What a form may have; with a few hundred boxes ticked it has as much."""

FIELDS_MAX = 400
"""As many ids as fit in; of shorter ones, each of which is compared, there could be thousands."""

NONE_OF_OURS = "must be the form of the page"


@frozen
class Form:
    """The fields that were sent."""

    _values: Mapping[str, Sequence[str]]

    def one(self, name: str) -> str:
        """The value of a field; empty, if it was not sent."""
        return self._values.get(name, [""])[0]

    def all(self, name: str) -> Sequence[str]:
        """The values of a field that there may be several of, in the order of the page."""
        return self._values.get(name, [])


def read_form(request: ApiRequest, single: Set[str], several: Set[str] = frozenset()) -> Form:
    """The form that is the request's body.

    :param single: the fields that there may be one of.
    :param several: those that there may be several of, each with another value.
    :raises Refusal: it is not declared as a form.
    :raises TooLarge: no page of ours sends as much.
    :raises InvalidRequest: it is no form of ours.
    """
    if not is_form(request) or request.requestHeaders.hasHeader(b"Content-Encoding"):
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Content-Type: the body must be the form of the page, and not be compressed",
        )
    body = request.content.getvalue()
    if len(body) > BYTES:
        raise TooLarge(f"a form may have {BYTES} bytes")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except UnicodeDecodeError:
        raise InvalidRequest("body", "must be a form in UTF-8, percent-encoded") from None
    except ValueError:
        raise InvalidRequest("body", NONE_OF_OURS) from None
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        known = values.setdefault(name, [])
        if name not in single | several or (known and name in single) or value in known:
            raise InvalidRequest("body", NONE_OF_OURS)
        known.append(value)
    return Form(values)
