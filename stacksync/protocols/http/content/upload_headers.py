"""The headers of tus 1.0.0, the protocol of resumable uploads, read and written.

What is not as https://tus.io/protocols/resumable-upload wants it is refused
with the name of the header, or of the key in ``Upload-Metadata``.
"""

from __future__ import annotations

import binascii
from binascii import a2b_base64
from http import HTTPStatus
from typing import TYPE_CHECKING

from twisted.web.http import datetimeToString

from stacksync.engine.uploads import Checksum, Upload, UploadOrder
from stacksync.errors import InvalidRequest
from stacksync.protocols.fields import instant
from stacksync.protocols.http.answer import Headers
from stacksync.protocols.http.content.file_body import MIMETYPE, SAYS_NOTHING
from stacksync.protocols.http.errors import Refusal
from stacksync.protocols.http.query import DIGITS_MAX

if TYPE_CHECKING:
    from datetime import datetime

    from stacksync.protocols.http.request import ApiRequest

VERSION = b"1.0.0"
EXTENSIONS = b"creation,creation-with-upload,creation-defer-length,checksum,expiration,termination"
PIECE_TYPE = b"application/offset+octet-stream"


def check_tus_version(request: ApiRequest) -> None:
    """:raises Refusal: the client speaks another version of tus, or does not say which."""
    if request.requestHeaders.getRawHeaders(b"Tus-Resumable") != [VERSION]:
        raise Refusal(
            HTTPStatus.PRECONDITION_FAILED,
            f"Tus-Resumable: this is version {VERSION.decode()} of tus, no other",
            ((b"Tus-Version", VERSION),),
        )


def check_piece_type(request: ApiRequest) -> None:
    """:raises Refusal: the body is not declared as a piece of an upload."""
    values = request.requestHeaders.getRawHeaders(b"Content-Type", ())
    if len(values) != 1 or values[0].strip().lower() != PIECE_TYPE:
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type: the body must be {PIECE_TYPE.decode()}",
        )
    if request.requestHeaders.hasHeader(b"Content-Encoding"):
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Content-Encoding: send the piece as it is, not compressed",
        )


def read_offset(request: ApiRequest) -> int:
    """Where the piece starts that a request brings."""
    offset = read_size(request, "Upload-Offset")
    if offset is None:
        raise InvalidRequest("Upload-Offset", "is missing")
    return offset


def read_size(request: ApiRequest, name: str) -> int | None:
    """A header with a number of bytes, ``None`` if there is none."""
    values = request.requestHeaders.getRawHeaders(name.encode())
    if values is None:
        return None
    if len(values) != 1 or not values[0].isdigit() or len(values[0]) > DIGITS_MAX:
        raise InvalidRequest(name, "must be one integer, 0 or greater, of 64 bits")
    return int(values[0])


def read_checksum(request: ApiRequest) -> Checksum | None:
    """What the client says that the checksum of the piece is, if it does."""
    values = request.requestHeaders.getRawHeaders(b"Upload-Checksum")
    if values is None:
        return None
    if len(values) != 1:
        raise InvalidRequest("Upload-Checksum", "must be one header, not several")
    algorithm, _, encoded = values[0].partition(b" ")
    digest = decoded(encoded, "Upload-Checksum")
    return Checksum(algorithm.decode("latin-1"), digest)


def read_order(request: ApiRequest) -> UploadOrder:
    """What a client wants to upload."""
    length = read_size(request, "Upload-Length")
    deferred = request.requestHeaders.getRawHeaders(b"Upload-Defer-Length")
    if deferred not in (None, [b"1"]):
        raise InvalidRequest("Upload-Defer-Length", "can only be 1")
    if (length is None) is (deferred is None):
        raise InvalidRequest("Upload-Length", "either this or Upload-Defer-Length: 1 must be there")
    lines = request.requestHeaders.getRawHeaders(b"Upload-Metadata", ())
    metadata = b",".join(line for line in lines if line.strip())
    told = Metadata(metadata)
    file_id = told.integer("file")
    name = told.text("filename") or told.text("name")
    if file_id is None and not name:
        raise InvalidRequest("filename", "is missing from Upload-Metadata")
    if file_id is None and "if_match" in told.keys:
        raise InvalidRequest("if_match", "is for the new content of a file, which file tells")
    if file_id is not None and "parent" in told.keys:
        raise InvalidRequest("parent", "is for a new file; the one that file tells stays in place")
    return UploadOrder(
        length=length,
        metadata=metadata.decode("ascii"),
        name=name or "",
        parent_id=told.integer("parent"),
        file_id=file_id,
        base_version=told.integer("if_match"),
        mimetype=told.mimetype("filetype"),
        modified_at=told.instant("modified_at"),
    )


class Metadata:
    """What ``Upload-Metadata`` tells: keys, and values in base64.

    Clients put into it what they like; keys that mean nothing here are kept.
    """

    def __init__(self, header: bytes) -> None:
        self.keys: dict[str, bytes] = {}
        for pair in header.split(b",") if header else ():
            key, _, value = pair.strip(b" \t").partition(b" ")
            if not key or not key.isascii():
                raise InvalidRequest("Upload-Metadata", "a key must be ASCII, and not empty")
            name = key.decode("ascii")
            if name in self.keys:
                raise InvalidRequest("Upload-Metadata", f"{name} comes twice")
            self.keys[name] = decoded(value.strip(b" "), name)

    def text(self, key: str) -> str | None:
        value = self.keys.get(key)
        try:
            return None if value is None else value.decode()
        except UnicodeDecodeError:
            raise InvalidRequest(key, "must be UTF-8, in base64") from None

    def integer(self, key: str) -> int | None:
        """A natural number; a version may be quoted, as an ETag is."""
        value = self.text(key)
        if value is None:
            return None
        digits = value[1:-1] if key == "if_match" and value[:1] == value[-1:] == '"' else value
        if not digits.isascii() or not digits.isdigit() or len(digits) > DIGITS_MAX:
            raise InvalidRequest(key, "must be an integer, 0 or greater, in base64")
        return int(digits)

    def mimetype(self, key: str) -> str | None:
        """Type and subtype, if they say something: clients fill this in by themselves."""
        kind = (self.text(key) or "").partition(";")[0].strip().lower()
        return None if kind in SAYS_NOTHING or MIMETYPE.fullmatch(kind) is None else kind

    def instant(self, key: str) -> datetime | None:
        value = self.text(key)
        if value is None:
            return None
        is_number = value.isascii() and value.isdigit() and len(value) <= DIGITS_MAX
        return instant({key: int(value) if is_number else value}, key)


def decoded(encoded: bytes, name: str) -> bytes:
    """:raises InvalidRequest: it is not base64."""
    try:
        return a2b_base64(encoded, strict_mode=True)
    except binascii.Error:
        raise InvalidRequest(name, "must be base64 (RFC 4648)") from None


def state_headers(upload: Upload, request: ApiRequest) -> Headers:
    """How far an upload is, how long it is kept, and the file that it has become.

    A path of ours begins as the request's did, with ``/api`` or its alias.
    """
    expires = datetimeToString(upload.expires_at.timestamp())
    headers: Headers = (
        (b"Upload-Offset", b"%d" % upload.offset),
        (b"Upload-Expires", expires),
    )
    if upload.item_id is None:
        return headers
    top = b"/" + request.path.split(b"/")[1]
    return (
        *headers,
        (b"StackSync-File", b"%d" % upload.item_id),
        (b"Content-Location", b"%s/file/%d" % (top, upload.item_id)),
    )


def order_headers(upload: Upload) -> Headers:
    """What the client said when it began."""
    length = (
        (b"Upload-Defer-Length", b"1")
        if upload.length is None
        else (b"Upload-Length", b"%d" % upload.length)
    )
    if not upload.metadata:
        return (length,)
    return (length, (b"Upload-Metadata", upload.metadata.encode("ascii")))
