"""Who a request is from, and how it came, as far as our own proxies can be believed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.web.http_headers import Headers

from stacksync.protocols.http.edge.proxies import Client, TrustedProxies, external_host

PROXIES = TrustedProxies(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32", "unix"])
SECURE = (True, True)
PLAIN = (False, False)


def headers(**values: str | list[str]) -> Headers:
    return Headers(
        {
            name.replace("_", "-"): [value] if isinstance(value, str) else value
            for name, value in values.items()
        }
    )


def seen(peer: str, is_tls: bool = False, **values: Any) -> Client:
    return PROXIES.client_of(peer, is_tls, headers(**values))


@pytest.mark.parametrize(
    ("peer", "passed", "address"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["198.51.100.1, 10.9.9.9, 127.0.0.1"], "198.51.100.1"),
        ("10.1.2.3", ["10.4.4.4"], "10.4.4.4"),
        ("10.1.2.3", ["198.51.100.1:50000"], "198.51.100.1"),
        ("10.1.2.3", ["[2001:DB9::1]:443"], "2001:db9::1"),
        ("10.1.2.3", ["2001:db9:0:0::1"], "2001:db9::1"),
        ("10.1.2.3", ["198.51.100.1, unknown"], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.1, _hidden, 127.0.0.1"], "127.0.0.1"),
        ("10.1.2.3", [", ,"], "10.1.2.3"),
        ("::ffff:10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:203.0.113.7", [], "203.0.113.7"),
        ("2001:db8::5", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("local", ["198.51.100.1"], "198.51.100.1"),
        ("local", [], "local"),
        ("fe80::1%eth0", ["198.51.100.1"], "fe80::1"),
    ],
)
def test_the_client_is_the_nearest_that_is_no_proxy_of_ours(
    peer: str, passed: list[str], address: str
) -> None:
    assert seen(peer, X_Forwarded_For=passed).address == address


@pytest.mark.parametrize(
    ("peer", "is_tls", "values", "secure"),
    [
        ("203.0.113.7", False, {}, PLAIN),
        ("203.0.113.7", True, {}, SECURE),
        # What anybody may claim is not believed.
        ("203.0.113.7", False, {"X_Forwarded_Proto": "https"}, PLAIN),
        ("203.0.113.7", True, {"X_Forwarded_Proto": "http"}, SECURE),
        ("10.1.2.3", False, {}, PLAIN),
        ("10.1.2.3", False, {"X_Forwarded_Proto": "https"}, SECURE),
        ("10.1.2.3", False, {"X_Forwarded_Proto": "HTTPS"}, SECURE),
        ("10.1.2.3", True, {"X_Forwarded_Proto": "http"}, PLAIN),
        ("10.1.2.3", False, {"X_Forwarded_Proto": "wss"}, PLAIN),
        ("local", False, {"X_Forwarded_Proto": "https"}, SECURE),
        # Two proxies of ours: the outer one knows what the client speaks.
        (
            "10.1.2.3",
            False,
            {"X_Forwarded_For": "198.51.100.1, 10.0.0.2", "X_Forwarded_Proto": "https, http"},
            SECURE,
        ),
        # And what the client has written before them does not count.
        (
            "10.1.2.3",
            False,
            {"X_Forwarded_For": "198.51.100.1", "X_Forwarded_Proto": "https, http"},
            PLAIN,
        ),
    ],
)
def test_how_a_request_came_is_for_our_proxies_to_say(
    peer: str, is_tls: bool, values: dict[str, str], secure: tuple[bool, bool]
) -> None:
    client = seen(peer, is_tls, **values)

    assert (client.is_secure, client.is_secure_for_secrets) == secure


@pytest.mark.parametrize(
    ("peer", "values", "secure"),
    [
        ("127.0.0.1", {}, True),
        ("127.8.8.8", {}, True),
        ("::1", {}, True),
        ("::ffff:127.0.0.1", {}, True),
        ("local", {}, True),
        ("192.0.2.1", {}, False),
        # A proxy on this machine that nobody has told us of.
        ("127.0.0.1", {"X_Forwarded_For": "198.51.100.1"}, False),
        ("127.0.0.1", {"Via": "1.1 proxy"}, False),
        ("local", {"Forwarded": "for=198.51.100.1"}, False),
    ],
)
def test_secrets_need_no_tls_within_this_machine(
    peer: str, values: dict[str, str], secure: bool
) -> None:
    client = TrustedProxies().client_of(peer, False, headers(**values))

    assert (client.is_secure, client.is_secure_for_secrets) == (False, secure)


@given(
    peer=st.sampled_from(["10.1.2.3", "203.0.113.7", "local", "nonsense"]),
    passed=st.lists(st.binary(max_size=40).map(lambda each: each.replace(b"\n", b""))),
    schemes=st.lists(st.binary(max_size=20).map(lambda each: each.replace(b"\n", b""))),
)
def test_whatever_they_say_there_is_an_answer(
    peer: str, passed: list[bytes], schemes: list[bytes]
) -> None:
    told = Headers({b"X-Forwarded-For": passed, b"X-Forwarded-Proto": schemes, b"Host": passed})
    client = PROXIES.client_of(peer, False, told)

    assert client.address
    assert external_host(told, None).isascii()


@pytest.mark.parametrize(
    ("told", "host"),
    [
        ("cloud.example.org", "cloud.example.org"),
        ("cloud.example.org:8443", "cloud.example.org:8443"),
        ("[::1]:80", "[::1]:80"),
        ("evil/../x", "localhost"),
        ("a b", "localhost"),
        (["a.example.org", "b.example.org"], "localhost"),
        ("", "localhost"),
    ],
)
def test_the_host_is_what_the_client_calls_it(told: str | list[str], host: str) -> None:
    assert external_host(headers(Host=told), None) == host
