"""Values that no client should send, for every place where one can be sent."""

from __future__ import annotations

import string
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

ODD_TEXTS = st.sampled_from(
    [
        *("", " ", ".", "..", "../../etc/passwd", "a/b", "\0", "\n", "%00", "%2e%2e", "null"),
        *("-1", "0", "1e309", "NaN", "0x10", str(2**63), str(-(2**63)), "9" * 400),
        *("x" * 256, "é" * 256, "😀" * 70, "\u202e", "\ufeff", "'; DROP TABLE item; --"),
        *(str(UUID(int=0)), "{" + str(UUID(int=1)) + "}", "2026-13-45T99:99:99Z"),
        *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "<script>", "a@b", "@" * 300),
    ]
)
ODD_NUMBERS = st.sampled_from(
    [0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, 0.5, -0.0, 1e308]
)
ODD_SCALARS = st.one_of(
    st.none(), st.booleans(), ODD_NUMBERS, ODD_TEXTS, st.text(max_size=20), st.integers()
)

ODD_VALUES: st.SearchStrategy[Any] = st.recursive(
    ODD_SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
"""Whatever JSON has."""

ODD_SEGMENTS = ODD_TEXTS | st.text(max_size=20) | st.uuids().map(str)
"""Of a path, not yet encoded."""

ODD_HEADER_VALUES = st.one_of(
    ODD_TEXTS.filter(lambda text: text.isprintable()).map(lambda text: text.encode()),
    st.text(string.printable, max_size=30).map(lambda text: text.encode()),
    st.binary(max_size=20),
).map(lambda value: bytes(byte for byte in value if byte not in b"\r\n\0").strip())
"""Bytes that may stand in one line."""


def changed(fields: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The same fields, with odd values for some of them, and some missing."""
    return st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(fields, ODD_VALUES),
    ).map(lambda odd: {**fields, **odd})
