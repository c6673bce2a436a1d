"""What strangers send can be kept, logged and shown: it is short, and steers nothing."""

from __future__ import annotations

from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacksync.engine.audit.texts import LISTED, TEXT_KEPT, clean, text
from stacksync.model import AuditEvent, AuditKind


def test_ordinary_texts_stay_as_they_are() -> None:
    event = AuditEvent(
        AuditKind.SHARE_PROPOSED,
        email="änne@bücher.example",
        address="2001:db8::1",
        detail={"folder": "Übung (1) 写真 🎉", "to": ["a@x.org"], "folder_id": 7, "by": None},
    )
    assert clean(event) == event


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("a\nb", "a�b"),
        ("\x1b[2J", "�[2J"),
        ("nul\0", "nul�"),
        ("\u202eevil", "�evil"),
        ("\ud800", "�"),
        ("\x9b31m", "�31m"),
    ],
)
def test_what_would_steer_a_terminal_or_break_a_line_is_replaced(told: str, kept: str) -> None:
    assert text(told) == kept


def test_long_texts_and_lists_are_cut_and_say_so() -> None:
    assert text("x" * TEXT_KEPT) == "x" * TEXT_KEPT
    assert text("x" * (TEXT_KEPT + 1)) == "x" * (TEXT_KEPT - 1) + "…"
    event = AuditEvent(AuditKind.SHARE_PROPOSED, detail={"to": ["a@x.org"] * (LISTED + 3)})
    assert clean(event).detail["to"][LISTED:] == ["… 3 more"]


def test_ids_and_words_of_our_own_become_texts() -> None:
    detail = {"by": UUID(int=1), "kind": AuditKind.REFUSED, "whether": True, "count": 2}
    assert clean(AuditEvent(AuditKind.UNSHARED, detail=detail)).detail == {
        "by": "00000000-0000-0000-0000-000000000001",
        "kind": "refused",
        "whether": True,
        "count": 2,
    }


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_kept_as_json_on_one_line(told: str) -> None:
    kept = text(told)
    assert orjson.loads(orjson.dumps(kept)) == kept
    assert kept.isprintable()
    assert len(kept.splitlines()) <= 1
