"""A new password comes from stdin, from the person at the terminal, or from chance."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from stacksync.admin_cli.passwords import read
from stacksync.auth.password_policy import PasswordPolicy
from stacksync.errors import InvalidRequest

EMAIL = "anna@example.org"
POLICY = PasswordPolicy(7)


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def give(content: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))

    return give


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def type_in(*answers: str) -> None:
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        given = iter(answers)
        monkeypatch.setattr("sys.stdin", Terminal())
        monkeypatch.setattr("getpass.getpass", lambda prompt: next(given))

    return type_in


@pytest.mark.parametrize("line", [b"two words", b"two words\n", b"two words\r\n"])
def test_the_end_of_the_line_is_not_part_of_it(stdin: Callable[[bytes], None], line: bytes) -> None:
    stdin(line)
    assert read(True, EMAIL, POLICY).text == "two words"


def test_blanks_and_umlauts_are(stdin: Callable[[bytes], None]) -> None:
    stdin(" Grüße \n".encode())
    assert read(True, EMAIL, POLICY).text == " Grüße "


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "must not be empty"),
        (b"\n", "must not be empty"),
        (b"\xff\xfe\n", "is not UTF-8"),
        (b"a\0b\n", "NUL"),
        (b"x" * 1025, "1024 bytes"),
        (b"6 long\n", "at least 7 characters"),
        (b"Password1\n", "commonest"),
        (b"anna@example.org\n", "e-mail"),
    ],
)
def test_what_no_password_can_be_is_refused(
    stdin: Callable[[bytes], None], content: bytes, problem: str
) -> None:
    stdin(content)
    with pytest.raises(InvalidRequest, match=f"password: .*{problem}"):
        read(True, EMAIL, POLICY)


def test_without_one_it_is_made_up_and_to_be_shown(stdin: Callable[[bytes], None]) -> None:
    stdin(b"not read")
    first, second = read(False, EMAIL, POLICY), read(False, EMAIL, POLICY)
    assert first.made_up
    assert first.text != second.text
    assert first.text not in repr(first)


@pytest.mark.parametrize("minimum", [1, 19, 20, 128])
def test_a_made_up_one_is_as_long_as_it_must_be(
    stdin: Callable[[bytes], None], minimum: int
) -> None:
    stdin(b"")
    policy = PasswordPolicy(minimum)
    policy.check(read(False, EMAIL, policy).text, EMAIL)


@pytest.mark.parametrize("from_stdin", [True, False])
def test_a_person_types_it_twice(terminal: Callable[..., None], from_stdin: bool) -> None:
    terminal("a secret", "a secret")
    password = read(from_stdin, EMAIL, POLICY)
    assert password.text == "a secret"
    assert not password.made_up


def test_a_slip_of_the_finger_is_noticed(terminal: Callable[..., None]) -> None:
    terminal("a secret", "a secert")
    with pytest.raises(InvalidRequest, match="not the same"):
        read(True, EMAIL, POLICY)


def test_the_end_of_input_at_the_prompt_is_no_password(
    terminal: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang_up(prompt: str) -> str:
        raise EOFError

    terminal()
    monkeypatch.setattr("getpass.getpass", hang_up)

    with pytest.raises(InvalidRequest, match="none was given"):
        read(True, EMAIL, POLICY)
