"""The fields of a question, as a query or a form.

Bounded, and strict: what is not text, or is there twice, is no question.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

MOST_FIELDS = 64

Fields = dict[str, str]


def fields_of(encoded: bytes) -> Fields | None:
    """The fields by name; ``None``: this is nothing that RabbitMQ asks."""
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        return None
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None


def query_of(uri: bytes) -> bytes:
    """What stands after the question mark.

    With the method GET, RabbitMQ puts one before its fields even if the path
    that it was given has one already (``?secret=…?username=…``).
    """
    return uri.partition(b"?")[2].replace(b"?", b"&", 1)
