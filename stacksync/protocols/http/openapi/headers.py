"""Headers of answers that say more than how long the body is and of what type."""

from __future__ import annotations

from stacksync.protocols.http.openapi.parameters import TUS
from stacksync.protocols.http.openapi.parts import Part, header
from stacksync.protocols.http.openapi.values import ITEM_ID, NUMBER

TEXT: Part = {"type": "string"}
SECONDS: Part = {"type": "integer", "minimum": 1}

VERSION_TAG = header(
    {"type": "string", "pattern": '^"[1-9][0-9]*"$'},
    "The version in quotes, for `If-Match` and `If-None-Match`.",
)
CHUNK_TAG = header({"type": "string", "pattern": '^".+"$'}, "A chunk never changes, nor does this.")
LOCATION = header({"type": "string", "format": "uri-reference"}, "The path of what was made.")
RETRY_AFTER = header(SECONDS, "Seconds to wait before the next try.")
NEXT_LINK = header(
    {"type": "string", "pattern": '^<.+>; rel="next"$'},
    "The way to the following page (RFC 8288), if there is one.",
    optional=True,
)
CHALLENGE = header({"type": "string", "pattern": "^Basic "}, "The ways to sign in.")
UNSATISFIED = header(
    {"type": "string", "pattern": r"^bytes \*/[0-9]+$"}, "How many bytes there are."
)
CONTENT_RANGE = header(
    {"type": "string", "pattern": "^bytes [0-9]+-[0-9]+/[0-9]+$"}, "Which bytes these are."
)
TUS_RESUMABLE = header(TUS, "The version of tus that is spoken here.")
TUS_VERSION = header(TUS, "The version of tus to come back with.")
ALLOW = header(TEXT, "The methods that are allowed here.")

CONTENT: dict[str, Part] = {
    "Content-Disposition": header(
        {"type": "string", "pattern": "^attachment"},
        "The name to save it under (RFC 6266), as an attachment whatever its type.",
    ),
    "Accept-Ranges": header({"type": "string", "const": "bytes"}, "Parts can be asked for."),
    "X-Content-Type-Options": header(
        {"type": "string", "const": "nosniff"}, "It is what it says that it is."
    ),
    "Content-Security-Policy": header(TEXT, "It must not run as a page of this site."),
    "Cache-Control": header(TEXT, "Who may keep it, and for how long."),
}
FILE_CONTENT = {
    "ETag": VERSION_TAG,
    "Last-Modified": header(TEXT, "When it was last changed, by its sender.", optional=True),
    **CONTENT,
}
CHUNK_CONTENT = {"ETag": CHUNK_TAG, **CONTENT}

UPLOAD_STATE = {
    "Tus-Resumable": TUS_RESUMABLE,
    "Upload-Offset": header(NUMBER, "Bytes that have arrived."),
    "Upload-Expires": header(TEXT, "Until when it is kept, if nothing more comes."),
    "StackSync-File": header(ITEM_ID, "The file that it has become.", optional=True),
    "Content-Location": header(TEXT, "The path of that file.", optional=True),
}
UPLOAD_ORDER = {
    "Upload-Length": header(NUMBER, "Bytes of the whole, if that has been said.", optional=True),
    "Upload-Defer-Length": header(
        {"type": "string", "const": "1"}, "The length has not been said yet.", optional=True
    ),
    "Upload-Metadata": header(TEXT, "As it was sent.", optional=True),
}
TUS_ABILITIES = {
    "Allow": ALLOW,
    "Tus-Resumable": TUS_RESUMABLE,
    "Tus-Version": TUS_VERSION,
    "Tus-Extension": header(TEXT, "The extensions of tus that are spoken here."),
    "Tus-Checksum-Algorithm": header(TEXT, "For `Upload-Checksum`."),
    "Tus-Max-Size": header(NUMBER, "The most bytes of a file, if there is a limit.", optional=True),
}
