"""Applications send people nowhere but where the operator was told."""

from __future__ import annotations

import pytest

from stacksync.engine.oauth.callbacks import OUT_OF_BAND, check_asked, check_registered
from stacksync.errors import InvalidRequest

REGISTERED = "https://app.example.org/done"
OWN_SCHEME = "org.example.app:/done"


@pytest.mark.parametrize(
    "callback",
    [
        REGISTERED,
        f"{REGISTERED}?state=1&x=%2F",
        "https://app.example.org:443/done",
        "HTTPS://APP.example.org/done",
    ],
)
def test_the_same_place_is_right_whatever_its_query(callback: str) -> None:
    check_asked(REGISTERED, callback)
    check_asked(f"{REGISTERED}?other=2", callback)


@pytest.mark.parametrize(
    "callback",
    [
        *("http://app.example.org/done", "https://app.example.org:444/done"),
        *("https://app.example.org.evil.org/done", "https://evil.org/done", "https:///done"),
        *("https://app.example.org/done/more", "https://app.example.org/other"),
        *("https://app.example.org/done/", "https://app.example.org", "https://sub.app.example.org/done"),
        *("https://app.example.org@evil.org/done", "https://me@app.example.org/done"),
        *(f"{REGISTERED}#x", "https://evil.org#@app.example.org/done"),
        *("https://app.example.org\\@evil.org/done", "https://app.example.org:x/done"),
        *("https://[::1/done", "https://app.example.org:99999/done"),
        *("javascript:alert(1)", "data:text/html,x", "//app.example.org/done", "/done"),
        *("x y", f"{REGISTERED}?x=\r\nSet-Cookie: a", f"{REGISTERED}?ä", f"{REGISTERED}?x<y", ""),
        *(OUT_OF_BAND, OWN_SCHEME, f"{REGISTERED}?{'x' * 2000}"),
    ],
)  # fmt: skip
def test_any_other_place_is_refused(callback: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_asked(REGISTERED, callback)
    assert caught.value.field == "oauth_callback"


def test_who_has_registered_no_place_sends_nobody_anywhere() -> None:
    check_asked(None, OUT_OF_BAND)
    with pytest.raises(InvalidRequest):
        check_asked(None, REGISTERED)


@pytest.mark.parametrize(
    "callback", [REGISTERED, "http://[::1]:8000/", "http://localhost:5000/x?y", OWN_SCHEME]
)
def test_a_browser_must_be_able_to_go_there(callback: str) -> None:
    check_registered(callback)
    check_asked(callback, callback)


@pytest.mark.parametrize(
    "callback", ["", "oob", "app:/done", "file:///etc/passwd", "https://", "mailto:a@b", "not one"]
)
def test_other_places_can_not_be_registered(callback: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_registered(callback)
    assert caught.value.field == "callback"
