"""A sign-in is news once an hour, and after a refusal."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from attrs import evolve

from stacksync.engine.audit.recent_sign_ins import NEWS_AGAIN, RecentSignIns
from stacksync.model import AuditEvent, AuditKind, SignIn

ANNA = AuditEvent(AuditKind.SIGNED_IN, uuid4(), address="192.0.2.1", sign_in=SignIn.TOKEN)


def test_the_same_is_news_again_after_an_hour() -> None:
    recent = RecentSignIns()
    assert recent.is_news(ANNA, 1.0)
    assert not recent.is_news(ANNA, 1.0)
    assert not recent.is_news(ANNA, NEWS_AGAIN)
    assert recent.is_news(ANNA, 1.0 + NEWS_AGAIN)
    assert not recent.is_news(ANNA, 2 * NEWS_AGAIN)


@pytest.mark.parametrize(
    "other",
    [
        {"account_id": uuid4()},
        {"address": "192.0.2.2"},
        {"sign_in": SignIn.PASSWORD},
        {"detail": {"token_id": 1}},
    ],
)
def test_another_account_address_way_or_token_is_news(other: dict[str, object]) -> None:
    recent = RecentSignIns()
    assert recent.is_news(ANNA, 1.0)
    assert recent.is_news(evolve(ANNA, **other), 1.0)  # type: ignore[arg-type]
    assert not recent.is_news(ANNA, 1.0)


def test_each_way_is_news_once_after_a_refusal() -> None:
    recent = RecentSignIns()
    elsewhere = evolve(ANNA, address="192.0.2.2")
    somebody_else = evolve(ANNA, account_id=uuid4())
    everybody = (ANNA, elsewhere, somebody_else)
    assert [recent.is_news(each, 1.0) for each in everybody] == [True, True, True]
    assert isinstance(ANNA.account_id, UUID)
    recent.refused(ANNA.account_id)
    assert [recent.is_news(each, 1.0) for each in everybody] == [True, True, False]
    assert [recent.is_news(each, 1.0) for each in everybody] == [False, False, False]


def test_no_more_is_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacksync.engine.audit.recent_sign_ins.REMEMBERED_MAX", 2)
    recent = RecentSignIns()
    first, second, third = [evolve(ANNA, address=f"192.0.2.{n}") for n in range(3)]
    assert [recent.is_news(each, 1.0) for each in (first, second, third)] == [True] * 3
    assert not recent.is_news(second, 1.0)
    assert recent.is_news(first, 1.0)
