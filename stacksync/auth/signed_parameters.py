"""The parameters of a signed request, taken apart strictly (RFC 5849, sections 3.1, 3.4.1.3, 3.5).

oauthlib's own way is not taken: it lets a parameter of the header come twice,
decodes those of a query or form twice, and leaves ``realm`` of the query
unsigned where the header has one.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

from attrs import field, frozen

from stacksync.errors import InvalidRequest
from stacksync.model import SignedRequest

PROTOCOL = "oauth_"
PARAMETERS_MAX = 1000

_SCHEME = re.compile(r"OAuth(?:[ \t]+|$)", re.IGNORECASE)
_PARAMETER = re.compile(r'([A-Za-z0-9_.~%-]+)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,[ \t]*|$)')
_BROKEN = re.compile("%(?![0-9A-Fa-f]{2})")

Pairs = list[tuple[str, str]]


@frozen
class SignedParameters:
    """What a request says, apart from its method and place.

    :ivar protocol: those of OAuth, by name.
    :ivar others: those of the query and of the form that mean something to whom they are sent.
    :ivar signed: all that the signature covers.
    :ivar address: scheme, host, port and path.
    """

    protocol: dict[str, str] = field(repr=False)
    others: Pairs = field(repr=False)
    signed: Pairs = field(repr=False)
    address: str


def parameters_of(request: SignedRequest) -> SignedParameters:
    """Take a request apart.

    :raises InvalidRequest: it can't be told what was signed, or whether the others would read
        the same as the signer wrote.
    """
    address, _, query = request.url.partition("?")
    check_address(address)
    sources = {
        "the Authorization header": header_pairs(request.authorization),
        "the query": form_pairs("query", query),
        "the body": form_pairs("body", request.form),
    }
    holding = [name for name, pairs in sources.items() if any(map(is_protocol, pairs))]
    if len(holding) > 1:
        raise InvalidRequest(
            "oauth", f"its parameters must come in one place, not in {' and '.join(holding)}"
        )
    everything = [pair for pairs in sources.values() for pair in pairs]
    protocol: dict[str, str] = {}
    for name, value in filter(is_protocol, everything):
        if name in protocol:
            raise InvalidRequest(name, "must be given once")
        protocol[name] = value
    return SignedParameters(
        protocol,
        [pair for name in ("the query", "the body") for pair in sources[name]
         if not is_protocol(pair)],
        [pair for pair in everything if pair[0] != "oauth_signature"],
        address,
    )  # fmt: skip


def is_protocol(pair: tuple[str, str]) -> bool:
    return pair[0].startswith(PROTOCOL)


def check_address(address: str) -> None:
    """Make sure that what is signed is the place that was asked for.

    :raises InvalidRequest: a part of it would not be covered by the signature.
    """
    try:
        parts = urlsplit(address)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        has_host = False
    if not has_host or parts.scheme not in ("http", "https") or "@" in parts.netloc:
        raise InvalidRequest("Host", "it can't be told from it what was signed")
    if not address.isascii() or not address.isprintable() or " " in address:
        raise InvalidRequest("path", "must be percent-encoded")
    if "#" in address or address.endswith(";"):
        raise InvalidRequest("path", "must not have # or end in a semicolon")


def header_pairs(authorization: str) -> Pairs:
    """What stands after ``OAuth`` in the header of that name (section 3.5.1).

    :raises InvalidRequest: it is not as it must be.
    """
    scheme = _SCHEME.match(authorization)
    if scheme is None:
        return []
    pairs: Pairs = []
    place = scheme.end()
    while place < len(authorization):
        found = _PARAMETER.match(authorization, place)
        if found is None or len(pairs) >= PARAMETERS_MAX:
            raise InvalidRequest(
                "Authorization", 'after OAuth come name="value", percent-encoded, with commas'
            )
        place = found.end()
        # Section 3.4.1.3.1: the realm is for people, and signed by nobody.
        if found[1].lower() != "realm":
            pairs.append((decoded("Authorization", found[1]), decoded(found[1], found[2])))
    return pairs


def decoded(field_name: str, text: str) -> str:
    """Percent-decoded (section 3.6).

    :raises InvalidRequest: it is not UTF-8, percent-encoded.
    """
    try:
        if _BROKEN.search(text) is None:
            return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        pass
    raise InvalidRequest(field_name[:80], "must be UTF-8, percent-encoded")


def form_pairs(where: str, text: str) -> Pairs:
    """What stands in a query or in the body of a form.

    :raises InvalidRequest: it is not percent-encoded, or could be read in two ways.
    """
    if not text:
        return []
    if ";" in text:
        # Some take it for another &; the signature would be the same.
        raise InvalidRequest(where, "a semicolon must be written %3B where the request is signed")
    if not text.isascii() or not text.isprintable() or _BROKEN.search(text):
        raise InvalidRequest(where, "must be percent-encoded")
    try:
        return parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX
        )
    except UnicodeDecodeError:
        raise InvalidRequest(where, "must be UTF-8, percent-encoded") from None
    except ValueError:
        raise InvalidRequest(where, f"has more than {PARAMETERS_MAX} parameters") from None
