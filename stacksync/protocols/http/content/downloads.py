"""Sending content: whole or in part, with what a browser needs to know of it.

Nothing that users keep here is to run as a page of this site: it comes as an
attachment, is taken for what it says it is, and is confined where it is shown
all the same.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from twisted.web.http import datetimeToString

from stacksync.protocols.http.answer import Headers, StreamedAnswer
from stacksync.protocols.http.conditions import is_known, tag_of
from stacksync.protocols.http.content.disposition import content_disposition
from stacksync.protocols.http.content.file_body import is_mimetype
from stacksync.protocols.http.content.ranges import requested_part

if TYPE_CHECKING:
    from stacksync.engine.files import FileContent
    from stacksync.model import Item
    from stacksync.protocols.http.request import ApiRequest

CONFINED: Headers = (
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Content-Security-Policy", b"default-src 'none'; sandbox"),
)

# May be kept, but asked about each time: who may read it can change.
REVALIDATED = (b"Cache-Control", b"private, no-cache")


async def download(request: ApiRequest, content: FileContent) -> StreamedAnswer:
    """The answer with a file's content, or the part of it that is asked for.

    :raises Refusal: 416, there is no such part.
    :raises VersionMismatch: another version was wanted.
    :raises StackSyncError: the content can't be read; nothing has been sent yet.
    """
    item, tag = content.item, tag_of(content.item)
    validators = ((b"ETag", tag), *last_modified(request, item.modified_at), REVALIDATED)
    if is_known(request, item):
        return StreamedAnswer(None, 0, HTTPStatus.NOT_MODIFIED, validators)
    part = requested_part(request, item.size, tag)
    headers = (*validators, *headers_of(item))
    if request.method == b"HEAD":
        return StreamedAnswer(None, item.size, headers=headers)
    if part is None:
        return StreamedAnswer(await content.read(0, item.size), item.size, headers=headers)
    return StreamedAnswer(
        await content.read(part.start, part.stop),
        part.stop - part.start,
        HTTPStatus.PARTIAL_CONTENT,
        (*headers, (b"Content-Range", part.content_range(item.size))),
    )


def headers_of(item: Item) -> Headers:
    return (
        (b"Content-Type", content_type(item.mimetype)),
        (b"Content-Disposition", content_disposition(item.name)),
        (b"Accept-Ranges", b"bytes"),
        *CONFINED,
    )


def content_type(mimetype: str | None) -> bytes:
    """The type as it is known; devices say what they like, which may be no type at all."""
    if mimetype is None or not is_mimetype(mimetype):
        return b"application/octet-stream"
    return mimetype.encode()


def last_modified(request: ApiRequest, moment: datetime) -> Headers:
    """The header, unless the date is still to come (RFC 9110 §8.8.2.1)."""
    seconds = moment.timestamp()
    if seconds > request.site.reactor.seconds():
        return ()
    return ((b"Last-Modified", datetimeToString(seconds)),)
