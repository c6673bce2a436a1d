"""Networks take turns where there are fewer places than guessers want."""

from __future__ import annotations

import pytest

from stacksync.auth.line import LINE_MAX, PATIENCE, Line, network_of, site_of


def test_who_asked_first_goes_first() -> None:
    line = Line()
    assert [line.wait(each, 0.0) for each in ("a", "b", "c", "a")] == [0, 1, 2, 0]

    assert not line.may_go("b", free=1, now=1.0)
    assert line.may_go("a", free=1, now=1.0)
    assert not line.may_go("b", free=1, now=1.0)
    line.goes("a")
    assert line.may_go("b", free=1, now=1.0)
    line.goes("b")
    assert len(line) == 1


def test_as_many_may_go_as_there_are_places() -> None:
    line = Line()
    for each in "abc":
        line.wait(each, 0.0)

    assert line.may_go("b", free=2, now=1.0)
    line.goes("b")
    assert not line.may_go("d", free=2, now=1.0), "the places are those of a and c"
    assert line.may_go("d", free=3, now=1.0)
    assert not line.may_go("a", free=0, now=1.0)


def test_nobody_waits_for_who_does_not_ask_again() -> None:
    line = Line()
    line.wait("gone", 0.0)
    line.wait("here", 0.0)
    line.wait("here", PATIENCE)

    assert not line.may_go("here", free=1, now=PATIENCE)
    assert line.may_go("here", free=1, now=PATIENCE + 1)
    line.goes("here")
    assert len(line) == 0


def test_a_line_is_bounded_and_a_network_stands_in_it_once() -> None:
    line = Line()
    for number in range(2 * LINE_MAX):
        line.wait(f"10.0.{number // 250}.{number % 250}", 0.0)
        line.wait(f"2001:db8:1:{number:x}::1", 0.0)

    assert len(line) == LINE_MAX
    assert line.wait("192.0.2.1", 0.0) == LINE_MAX
    assert line.wait("2001:db8:1:ffff::2", 0.0) == 1


@pytest.mark.parametrize(
    ("address", "network", "site"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1::"),
        ("2001:db8:1:2::", "2001:db8:1:2::", "2001:db8:1::"),
        ("fe80::1%eth0", "fe80::", "fe80::"),
        ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("local", "local", "local"),
        ("not:an:address", "not:an:address", "not:an:address"),
    ],
)
def test_an_ipv6_address_stands_for_its_network(address: str, network: str, site: str) -> None:
    assert network_of(address) == network
    assert site_of(address) == site
