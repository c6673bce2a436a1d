"""What the forms of our pages send is read strictly, and in no time whatever it is."""

from __future__ import annotations

from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.web.http_headers import Headers

from stacksync.errors import InvalidRequest
from stacksync.protocols.http.oauth.form import FIELDS_MAX, read_form


def form_request(body: str) -> Any:
    headers = Headers({b"Content-Type": [b"application/x-www-form-urlencoded"]})
    return SimpleNamespace(requestHeaders=headers, content=BytesIO(body.encode()))


def ticked(count: int) -> Any:
    return form_request("&".join(f"token={number}" for number in range(count)))


def test_very_many_fields_are_refused_before_they_are_looked_at() -> None:
    assert len(read_form(ticked(FIELDS_MAX), set(), {"token"}).all("token")) == FIELDS_MAX

    with pytest.raises(InvalidRequest, match="must be the form of the page"):
        read_form(ticked(FIELDS_MAX + 1), set(), {"token"})


def test_what_is_not_utf_8_is_told_so() -> None:
    with pytest.raises(InvalidRequest, match="UTF-8"):
        read_form(form_request("email=%ff"), {"email"})
