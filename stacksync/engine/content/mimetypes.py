"""What a file is, by its first bytes and its name.

Both can mislead: many formats begin alike (everything in a ZIP archive), and a
name says what its giver liked.  The name is believed where the content does
not speak against it.  Pure computing, for the content threads; never fails.
"""

from __future__ import annotations

import mimetypes

import puremagic

HEAD = 64 * 1024
"""As many of the first bytes are of use: an ISO 9660 image tells of itself at 32 KiB."""

UNKNOWN = "application/octet-stream"
PLAIN_TEXT = "text/plain"
TEXT_SAMPLE = 4096
MOST_CHARACTERS = 127

SURE = 0.3
"""Of the library's confidence: three bytes that fit."""

SURE_WITH_NAME = 0.9
"""The same, where the name's extension fits as well."""

# The types that the standard library knows; the machine's own files would make it a matter of
# where the server runs.
NAMES = mimetypes.MimeTypes(filenames=())

PACKED = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
    "br": "application/x-brotli",
}

# What many formats are made of: that a file is one of these says little.
WRAPPINGS = (
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"\xd0\xcf\x11\xe0", "application/x-ole-storage"),
    (b"OggS", "application/ogg"),
    (b"<?xml", "application/xml"),
)


def type_of(name: str, head: bytes) -> str:
    """The media type of a file called so that begins like this."""
    named = by_name(name)
    for beginning, kind in WRAPPINGS:
        if head.startswith(beginning):
            return next(iter([named] if named else by_content(name, head, SURE_WITH_NAME)), kind)
    if not head:
        return named or UNKNOWN
    fitting = by_content(name, head, SURE)
    if fitting:
        return named if named in fitting else fitting[0]
    if is_text(head):
        return named or PLAIN_TEXT
    return UNKNOWN if named is None or named.startswith("text/") else named


def by_name(name: str) -> str | None:
    try:
        # A name is no URL: "data:,x" is a file like any other.
        kind, packing = NAMES.guess_type("./" + name)
    except ValueError:
        return None
    return PACKED.get(packing, UNKNOWN) if packing is not None else kind


def by_content(name: str, head: bytes, sure: float) -> list[str]:
    """The types that the first bytes fit well, the likeliest first."""
    try:
        matches = puremagic.magic_string(head[:HEAD], filename=name)
    except (puremagic.PureError, ValueError):
        return []
    types = (match.mime_type for match in matches if match.confidence >= sure and match.byte_match)
    return [kind for kind in types if is_type(kind)]


def is_type(kind: str) -> bool:
    return "/" in kind and kind.isascii() and kind.isprintable() and len(kind) <= MOST_CHARACTERS


def is_text(head: bytes) -> bool:
    """Whether the first bytes are UTF-8 without control characters that no text has."""
    sample = head[:TEXT_SAMPLE]
    if b"\0" in sample:
        return False
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        # The sample may end within a character.
        return len(head) > TEXT_SAMPLE and error.start > len(sample) - 4
    return True
