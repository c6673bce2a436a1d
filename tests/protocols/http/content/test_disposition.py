"""Under what name a browser saves a file."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred

from stacksync.protocols.http.content.disposition import content_disposition
from tests.protocols.http.conftest import User, path_of

VALUE = re.compile(
    r"attachment; filename=\"([ !#-\[\]-~]*)\"(?:; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]*))?"
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("notes.txt", 'attachment; filename="notes.txt"'),
        ("a b;c=d,e", 'attachment; filename="a b;c=d,e"'),
        ("", 'attachment; filename=""'),
        ('a "b"', "attachment; filename=\"a _b_\"; filename*=UTF-8''a%20%22b%22"),
        ("a\\b", "attachment; filename=\"a_b\"; filename*=UTF-8''a%5Cb"),
        ("100%", "attachment; filename=\"100_\"; filename*=UTF-8''100%25"),
        ("it's", 'attachment; filename="it\'s"'),
        ("it's ü", "attachment; filename=\"it's _\"; filename*=UTF-8''it%27s%20%C3%BC"),
        ("€ rates", "attachment; filename=\"_ rates\"; filename*=UTF-8''%E2%82%AC%20rates"),
        ("🐢", "attachment; filename=\"_\"; filename*=UTF-8''%F0%9F%90%A2"),
        ("a\r\nX: y", "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y"),
        ("a\x7fb\x80", "attachment; filename=\"a_b_\"; filename*=UTF-8''a%7Fb%C2%80"),
        ("half \ud83d", "attachment; filename=\"half _\"; filename*=UTF-8''half%20%3F"),
    ],
)
def test_a_name_is_told_in_a_way_that_every_reader_takes(name: str, value: str) -> None:
    assert content_disposition(name) == value.encode()


@given(st.text(max_size=60).filter(lambda name: name.isprintable() or "\n" in name))
def test_any_name_comes_back_as_it_was(name: str) -> None:
    found = VALUE.fullmatch(content_disposition(name).decode("ascii"))

    assert found is not None
    plain, exact = found.groups()
    assert name == (plain if exact is None else unquote(exact, errors="strict"))


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_whatever_the_name_it_is_one_header(name: str) -> None:
    assert VALUE.fullmatch(content_disposition(name).decode("ascii"))


@ensureDeferred
async def test_a_file_comes_with_its_name(anna: User) -> None:
    file = await anna.upload("żółw.txt", b"x")

    answer = await anna.client.get(f"{path_of(file)}/data")

    expected = "attachment; filename=\"___w.txt\"; filename*=UTF-8''%C5%BC%C3%B3%C5%82w.txt"
    assert answer.header("Content-Disposition") == expected
