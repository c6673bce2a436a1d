"""Parameters that several operations have: the document's ``components/parameters``."""

from __future__ import annotations

from stacksync.engine.uploads.body import HASHES
from stacksync.model import Order
from stacksync.protocols.http.content.file_body import MIMETYPE_MAX, TOKEN
from stacksync.protocols.http.openapi.parts import Part, parameter, ref
from stacksync.protocols.http.openapi.values import ITEM_ID, NUMBER, REQUEST_ID, UUID, one_of
from stacksync.protocols.http.paging import LIMIT, LIMIT_MAX, SORTS

TAGS: Part = {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$'}
TUS: Part = {"type": "string", "const": "1.0.0"}
BASE64 = "[A-Za-z0-9+/=]*"

PARAMETERS: dict[str, Part] = {
    "Api": parameter(
        "header",
        "StackSync-API",
        {"type": "string", "const": "v2"},
        "The version of the API that is meant; also as `X-StackSync-API`. Left out: v2.",
        example="v2",
    ),
    "Device": parameter(
        "header",
        "StackSync-Device",
        UUID,
        "Which of the account's devices does this, so that it knows its own changes when it hears"
        " of them. Left out: a device named HTTP, which stands for all that have none.",
    ),
    "IdempotencyKey": parameter(
        "header",
        "Idempotency-Key",
        {**REQUEST_ID, "pattern": "^[!-~]+$"},
        "A repeat with the same key is answered as the first time, without a second effect. It"
        " counts for the device. Left out, a repeat is a request of its own.",
        example="phone-1",
    ),
    "IfMatch": parameter(
        "header",
        "If-Match",
        TAGS,
        "Only if the item is at one of these versions, which are its `ETag`s; else 412 with what"
        " it is now. Without it, the write applies to whichever version is the newest.",
        example='"1"',
    ),
    "IfNoneMatch": parameter(
        "header",
        "If-None-Match",
        TAGS,
        "What the client has already; where that is still so, the answer is 304.",
        example='"1"',
    ),
    "Range": parameter(
        "header",
        "Range",
        {"type": "string"},
        "One range of bytes (RFC 9110) is answered with that part (206); several, and what is not"
        " understood, with the whole.",
        example="bytes=0-3",
    ),
    "IfRange": parameter(
        "header",
        "If-Range",
        {"type": "string"},
        "The part, if the content still has this `ETag`, else the whole.",
        example='"1"',
    ),
    "Limit": parameter(
        "query",
        "limit",
        {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT},
        "The most items of a page.",
        example=100,
    ),
    "After": parameter(
        "query",
        "after",
        {"type": "string"},
        "The `next` of the page before. Only the listing that gave it understands it, with the"
        " same `sort`.",
    ),
    "MimeType": parameter(
        "query",
        "mimetype",
        {"type": "string", "pattern": f"^{TOKEN}/{TOKEN}$", "maxLength": MIMETYPE_MAX},
        "What the content is. Left out, `Content-Type` tells it, unless that says nothing"
        " (`application/octet-stream`); else it is recognised from content and name.",
        example="text/plain",
    ),
    "ModifiedAt": parameter(
        "query",
        "modified_at",
        {"type": "string", "format": "date-time"},
        "When the content was last changed: ISO 8601 with its zone, or milliseconds since 1970."
        " Left out: now.",
        example="2026-11-21T05:27:00.123Z",
    ),
    "Tus": parameter(
        "header",
        "Tus-Resumable",
        TUS,
        "The version of tus that the client speaks; another one, or none, gets 412.",
        required=True,
        example="1.0.0",
    ),
    "UploadLength": parameter(
        "header",
        "Upload-Length",
        NUMBER,
        "Bytes of the whole.",
        example=11,
    ),
    "UploadChecksum": parameter(
        "header",
        "Upload-Checksum",
        {"type": "string", "pattern": f"^({'|'.join(sorted(HASHES))}) {BASE64}$"},
        "Algorithm and digest, in base64, of this piece. A piece that is not like that is dropped"
        " as a whole (460).",
    ),
}


def shared(name: str) -> Part:
    """One of these, as a reference."""
    return ref("parameters", name)


API = shared("Api")
WRITING = (shared("Device"), shared("IdempotencyKey"))
CHANGING = (shared("IfMatch"), *WRITING)
PAGING = (shared("Limit"), shared("After"))


def sort(default: str) -> Part:
    """By what a listing is sorted.

    :param default: the order where the query does not say.
    """
    orders = ", ".join(f"`{order.value}`" for order in Order)
    return parameter(
        "query",
        "sort",
        {**one_of(*SORTS), "default": default},
        f"By {orders}; with a hyphen, the reverse.",
        example=default,
    )


def item_in_path(noun: str) -> Part:
    return parameter("path", "item", ITEM_ID, f"The id of a {noun}.", example=42)


WORKSPACE_IN_PATH = parameter(
    "path",
    "workspace",
    UUID,
    "The id of a workspace.",
    example="5f3bbd54-655e-4cc1-b5d4-fab7f848d4f3",
)
