"""How the text of each sort of value is read and written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacksync.config import values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("4096", 4096),
        ("512K", 512 * 1024),
        ("8M", 8 * 1024**2),
        ("8m", 8 * 1024**2),
        ("5G", 5 * 1024**3),
        ("1T", 1024**4),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_a_size_is_a_number_of_bytes_with_an_optional_unit(text: str, expected: int) -> None:
    assert values.read_size(text) == expected


@pytest.mark.parametrize(
    "text", ["", "M", "-1", "1.5G", "8 M", "8MB", "1_000", "٣", "9223372036854775808", "9" * 30]
)
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"size|bytes"):
        values.read_size(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15ms", 0.015),
        ("0s", 0.0),
        ("10s", 10.0),
        ("1.5s", 1.5),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("7d", 604800.0),
    ],
)
def test_a_duration_is_a_number_with_a_unit(text: str, expected: float) -> None:
    assert values.read_duration(text) == expected


@pytest.mark.parametrize("text", ["", "10", "s", "-1s", "1e3s", "1 s", "10 sec", "nans", "1w"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; write 15ms"):
        values.read_duration(text)


@given(st.integers(0, values.LARGEST_SIZE))
def test_a_size_reads_back_as_it_was_written(size: int) -> None:
    assert values.read_size(values.write_size(size)) == size


@given(st.integers(0, 10**9))
def test_a_duration_reads_back_as_it_was_written(microseconds: int) -> None:
    seconds = microseconds / 1_000_000

    assert values.read_duration(values.write_duration(seconds)) == pytest.approx(seconds, abs=1e-9)


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        (values.whole(1, 9), "0", "0 is too small; 1 is the smallest"),
        (values.whole(1, 9), "10", "10 is too large; 9 is the largest"),
        (values.size(minimum=4096), "1K", "1K is too small; 4K is the smallest"),
        (values.size(maximum=1024**3), "2G", "2G is too large; 1G is the largest"),
        (values.duration(minimum=1.0), "10ms", "10ms is too small; 1s is the smallest"),
        (values.duration(), "25h", "25h is too large; 1d is the largest"),
    ],
)
def test_a_number_out_of_bounds_is_refused_with_the_bound(
    kind: values.Kind[Any], text: str, problem: str
) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        kind.read(text)


@pytest.mark.parametrize("text", ["1.0", "ten", "", "1 0", "1_0", "0x10"])
def test_a_whole_number_is_written_in_digits(text: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number"):
        values.whole(0, 100).read(text)


@pytest.mark.parametrize("word", ["true", "True", "yes", "on"])
def test_a_flag_can_be_true(word: str) -> None:
    assert values.flag().read(word) is True


@pytest.mark.parametrize("word", ["false", "FALSE", "no", "off"])
def test_a_flag_can_be_false(word: str) -> None:
    assert values.flag().read(word) is False


@pytest.mark.parametrize("word", ["", "1", "maybe"])
def test_a_flag_can_be_nothing_else(word: str) -> None:
    with pytest.raises(ValueError, match="is neither true nor false"):
        values.flag().read(word)


def test_a_choice_is_one_of_its_words() -> None:
    colour = values.choice("red", "green")

    assert colour.read("red") == "red"
    with pytest.raises(ValueError, match="'blue' is not one of red, green"):
        colour.read("blue")


@pytest.mark.parametrize("name", ["rpc_global_exchange", "a.b-c", "é" * 127])
def test_a_name_for_the_broker_may_be_what_amqp_allows(name: str) -> None:
    assert values.amqp_name().read(name) == name


@pytest.mark.parametrize("name", ["", "two words", "amq.direct", "é" * 128])
def test_a_name_that_the_broker_would_refuse_is_refused_here(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        values.amqp_name().read(name)


def test_a_directory_may_start_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")

    assert values.directory().read("~/state") == Path("/home/ada/state")


@pytest.mark.parametrize("text", ["objects", "srv/objects", "/srv/objects"])
def test_a_directory_of_the_service_may_be_relative_to_its_home(text: str) -> None:
    assert Path("/home/ada", values.directory_in_home().read(text)) == Path("/home/ada", text)


def test_a_directory_of_the_service_may_start_at_the_users_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")

    assert values.directory_in_home().read("~/objects") == Path("/home/ada/objects")


@pytest.mark.parametrize("text", ["", "a\0b", "~nobody-of-this-name/objects"])
def test_what_can_be_no_directory_of_the_service_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a path|there is no such user"):
        values.directory_in_home().read(text)


@pytest.mark.parametrize("text", ["", "state", "./state", "~nobody-of-this-name/state"])
def test_a_directory_that_depends_on_where_one_stands_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an absolute path|there is no such user"):
        values.directory().read(text)
