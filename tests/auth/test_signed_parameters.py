"""A signed request is taken apart as its signer has put it together, or not at all."""

from __future__ import annotations

import pytest

from stacksync.auth.signed_parameters import parameters_of
from stacksync.errors import InvalidRequest
from stacksync.model import SignedRequest

HEADER = 'OAuth oauth_consumer_key="k", oauth_nonce="n"'


def request(query: str = "", authorization: str = HEADER, form: str = "") -> SignedRequest:
    url = f"http://example.com/request{query}"
    return SignedRequest("POST", url, authorization, form, True)


def refused(asked: SignedRequest) -> str:
    with pytest.raises(InvalidRequest) as caught:
        parameters_of(asked)
    return caught.value.field


def test_parameters_come_from_everywhere_as_in_the_rfc() -> None:
    # RFC 5849, section 3.4.1.3.1.
    found = parameters_of(
        request(
            "?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
            'OAuth realm="Example", oauth_consumer_key="9djdj82h48djs9d2", '
            'oauth_token="kkk9d7dh3k39sjv7", oauth_signature_method="HMAC-SHA1", '
            'oauth_timestamp="137131201", oauth_nonce="7d8f3e4a", '
            'oauth_signature="djosJKDKJSD8743243%2Fjdk33klY%3D"',
            "c2&a3=2+q",
        )
    )
    assert sorted(found.signed) == [
        ("a2", "r b"),
        ("a3", "2 q"),
        ("a3", "a"),
        ("b5", "=%3D"),
        ("c2", ""),
        ("c@", ""),
        ("oauth_consumer_key", "9djdj82h48djs9d2"),
        ("oauth_nonce", "7d8f3e4a"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131201"),
        ("oauth_token", "kkk9d7dh3k39sjv7"),
    ]
    assert found.protocol["oauth_signature"] == "djosJKDKJSD8743243/jdk33klY="
    assert found.address == "http://example.com/request"
    assert ("a3", "a") in found.others
    assert ("a3", "2 q") in found.others


def test_what_is_percent_encoded_twice_is_decoded_once_wherever_it_stands() -> None:
    for asked in (
        request(authorization='OAuth oauth_callback="http%3A%2F%2Fx%2F%3Fa%3D%2541"'),
        request("?oauth_callback=http%3A%2F%2Fx%2F%3Fa%3D%2541", ""),
        request("", "", "oauth_callback=http%3A%2F%2Fx%2F%3Fa%3D%2541"),
    ):
        assert parameters_of(asked).protocol == {"oauth_callback": "http://x/?a=%41"}


def test_the_realm_is_signed_by_nobody_but_one_in_the_query_is() -> None:
    found = parameters_of(request("?realm=x", 'OAuth realm="with, comma", oauth_nonce="n"'))
    assert found.signed == [("oauth_nonce", "n"), ("realm", "x")]


@pytest.mark.parametrize(
    "authorization",
    ['oauth  oauth_nonce="n"', 'OAUTH oauth_nonce = "n" ,realm=""', 'OAuth\toauth_nonce="n",'],
)
def test_the_header_may_be_written_as_people_do(authorization: str) -> None:
    assert parameters_of(request(authorization=authorization)).protocol == {"oauth_nonce": "n"}


def test_another_scheme_is_no_business_of_ours() -> None:
    assert parameters_of(request(authorization='Basic oauth_nonce="n"')).protocol == {}
    assert parameters_of(request(authorization='OAuthX oauth_nonce="n"')).protocol == {}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (request(authorization=f'{HEADER}, oauth_nonce="m"'), "oauth_nonce"),
        (request("?oauth_nonce=1&oauth_nonce=1", ""), "oauth_nonce"),
        (request("?oauth_nonce=1"), "oauth"),
        (request(form="oauth_x=1"), "oauth"),
        (request(authorization="OAuth oauth_nonce=n"), "Authorization"),
        (request(authorization='OAuth oauth_nonce="n" oauth_x="y"'), "Authorization"),
        (request(authorization='OAuth oauth_nonce="n'), "Authorization"),
        (request(authorization='OAuth oauth_nonce="%zz"'), "oauth_nonce"),
        (request(authorization='OAuth oauth_nonce="%ff"'), "oauth_nonce"),
        (request("?a=%ff"), "query"),
        (request("?a=%2"), "query"),
        (request("?a=1;b=2"), "query"),
        (request("?a=\x7f"), "query"),
        (request(form="a=1;b=2"), "body"),
        (request(form="a=ä"), "body"),
        (request("?" + "a&" * 2000), "query"),
        (request("#x"), "path"),
        (request(";"), "path"),
        (request(" x"), "path"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(asked: SignedRequest, field: str) -> None:
    assert refused(asked) == field


@pytest.mark.parametrize("url", ["/x", "http:///x", "ftp://h/x", "http://a@b/x", "http://h:x/"])
def test_what_names_no_place_is_refused(url: str) -> None:
    assert refused(SignedRequest("GET", url, HEADER, "", True)) == "Host"
