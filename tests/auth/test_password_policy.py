"""A new password is long enough, none of the commonest, and not the account's own name."""

from __future__ import annotations

import unicodedata
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacksync.auth.password_policy import PasswordPolicy, commonest
from stacksync.errors import InvalidRequest

EMAIL = "Anna.Lindt@example.org"
POLICY = PasswordPolicy(8)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("", "empty"),
        ("7 chars", "at least 8 characters; several words will do"),
        ("🔑" * 7, "at least 8 characters"),
        ("e\u0301" * 7, "at least 8 characters"),
        ("x" * 1025, "longer than 1024 bytes"),
        ("password", "commonest"),
        ("PassWord123", "commonest"),
        ("STACKSYNC", "commonest"),
        ("Contrasen\u0303a", "commonest"),
        ("anna.lindt@example.org", "e-mail"),
        ("ANNA.LINDT", "its part before the @"),
    ],
)
def test_what_will_not_do_is_refused_with_a_word_on_what_would(password: str, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem) as refused:
        POLICY.check(password, EMAIL)

    assert refused.value.field == "password"
    assert not password or password not in refused.value.problem


@pytest.mark.parametrize(
    "password",
    ["8 chars!", "correct horse", "        x", "🔑" * 8, "x" * 1024, "anna.lindt1", "éàüöäñçß"],
)
def test_there_are_no_other_rules(password: str) -> None:
    POLICY.check(password, EMAIL)


def test_the_minimum_is_the_operator_s() -> None:
    assert PasswordPolicy(1).problem_with("x", EMAIL) is None
    assert PasswordPolicy(13).problem_with("correct horse", EMAIL) is None
    assert "at least 14" in str(PasswordPolicy(14).problem_with("correct horse", EMAIL))


def test_the_list_is_of_a_few_hundred_and_has_no_slips() -> None:
    lines = (files("stacksync.auth") / "common_passwords.txt").read_text("utf-8").splitlines()

    assert 300 < len(lines) < 1000
    assert lines == sorted(set(lines))
    for each in lines:
        assert len(each) >= 6, each
        assert each == unicodedata.normalize("NFC", each).casefold(), each


@given(texts, st.integers(1, 30))
def test_whatever_is_allowed_is_as_long_as_it_must_be_and_is_not_guessed_first(
    password: str, minimum: int
) -> None:
    problem = PasswordPolicy(minimum).problem_with(password, EMAIL)

    composed = unicodedata.normalize("NFC", password)
    is_long = len(composed) >= minimum and password != ""
    is_guessed = composed.casefold() in commonest() | {EMAIL.lower(), "anna.lindt"}
    assert (problem is None) == (is_long and not is_guessed)


@given(texts)
def test_how_a_keyboard_composes_letters_does_not_matter(password: str) -> None:
    apart = unicodedata.normalize("NFD", password)
    together = unicodedata.normalize("NFC", password)

    assert POLICY.problem_with(apart, EMAIL) == POLICY.problem_with(together, EMAIL)


@given(st.sampled_from(sorted(commonest())), st.data())
def test_capitals_make_no_common_password_a_good_one(password: str, data: st.DataObject) -> None:
    spelled = "".join(
        each.upper() if data.draw(st.booleans()) and len(each.upper()) == 1 else each
        for each in password
    )

    assert "commonest" in str(PasswordPolicy(6).problem_with(spelled, EMAIL))
