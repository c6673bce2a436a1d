"""Under what name a content is to be saved: ``Content-Disposition`` (RFC 6266, RFC 8187).

Always as an attachment: what users keep here must not run in the browser as a
page of this site.
"""

from __future__ import annotations

from urllib.parse import quote

ATTR_CHARS = "!#$&+-.^_`|~"
"""What needs no percent in an extended value, besides letters and digits (RFC 8187 §3.2.1)."""

UNSAFE = frozenset('"\\%')
"""What old readers take in different ways within quotes (RFC 6266, appendix D)."""


def content_disposition(name: str) -> bytes:
    """The header's value for a file of this name.

    A name that is not plain ASCII is told twice: with what the oldest readers
    understand, and exactly for all others.
    """
    plain = "".join([c if " " <= c <= "~" and c not in UNSAFE else "_" for c in name])
    told = f'attachment; filename="{plain}"'
    if plain != name:
        exact = quote(name.encode("utf-8", "replace"), safe=ATTR_CHARS)
        told += f"; filename*=UTF-8''{exact}"
    return told.encode()
