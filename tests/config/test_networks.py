"""Options that name hosts by the lot."""

from __future__ import annotations

import pytest

from stacksync.config.networks import networks, origins


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ()),
        ("127.0.0.1", ("127.0.0.1",)),
        ("10.0.0.0/8  2001:DB8::/32 unix", ("10.0.0.0/8", "2001:db8::/32", "unix")),
        ("::1", ("::1",)),
    ],
)
def test_proxies_are_named_by_address_or_network(text: str, value: tuple[str, ...]) -> None:
    kind = networks()

    assert kind.read(text) == value
    assert kind.read(kind.write(value)) == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("proxy.example.org", "write 127.0.0.1, 10.0.0.0/8 or unix"),
        ("10.0.0.1/8", "has host bits set"),
        ("127.0.0.1, 127.0.0.2", "'127.0.0.1,'"),
        ("0.0.0.0/33", "0.0.0.0/33"),
        ("*", "write 127.0.0.1"),
    ],
)
def test_what_names_no_network_is_told(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem.replace("*", r"\*")):
        networks().read(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ()),
        (
            "https://app.example.org http://localhost:3000 http://[::1]:80",
            ("https://app.example.org", "http://localhost:3000", "http://[::1]:80"),
        ),
    ],
)
def test_pages_are_named_by_origin(text: str, value: tuple[str, ...]) -> None:
    kind = origins()

    assert kind.read(text) == value
    assert kind.read(kind.write(value)) == value


@pytest.mark.parametrize(
    "text",
    ["*", "null", "app.example.org", "https://app.example.org/", "https://a.org/x", "ftp://a.org",
     "https://A.org", "https://a.org,https://b.org", "https://user@a.org"],
)  # fmt: skip
def test_what_is_no_origin_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an origin; write https://app\.example\.org"):
        origins().read(text)
