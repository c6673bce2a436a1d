"""Where a broker is, read from a URL."""

from __future__ import annotations

import pytest

from stacksync.errors import ConfigurationError
from stacksync.protocols.amqp.wire.address import Address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("amqp://host", Address("host", 5672, "guest", "guest", "/")),
        ("amqp://host/", Address("host", 5672, "guest", "guest", "/")),
        ("amqp://host/%2F", Address("host", 5672, "guest", "guest", "/")),
        ("amqps://host", Address("host", 5671, "guest", "guest", "/", True)),
        ("amqps://host:5672/a", Address("host", 5672, "guest", "guest", "a", True)),
        ("amqp://[::1]:1/a", Address("::1", 1, "guest", "guest", "a")),
        (
            "amqp://%C3%84nne:p%40ss%2F@host:99/gr%C3%B6%C3%9Fe",
            Address("host", 99, "Änne", "p@ss/", "größe"),
        ),
    ],
)
def test_an_address_is_read_from_its_url(url: str, address: Address) -> None:
    assert Address.parse(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host",
        "http://host",
        "amqps://",
        "amqp://",
        "amqp://h:99999",
        "amqp://h:x",
        "amqp://[",
    ],
)
def test_what_is_no_address_is_refused_with_the_option(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"amqp\.url"):
        Address.parse(url)


def test_an_address_keeps_its_password_to_itself() -> None:
    address = Address.parse("amqp://anna:secret@host")

    assert str(address) == "host:5672"
    assert "secret" not in repr(address)
