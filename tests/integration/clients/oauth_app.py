"""An application that acts for people: requests-oauthlib, and a browser that is played here.

It shares no code with the service.
"""

from __future__ import annotations

import re
from contextlib import closing
from html.parser import HTMLParser
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg2
import requests
from attrs import define, field, frozen
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_AUTH_HEADER
from requests_oauthlib import OAuth1Session

from tests.servers.stacksync import KnownUser, StackSyncProcess

NASTY = "<script>alert('x')</script>\"><b>&amp;"
"""A name that makes trouble on a page."""

CALLBACK = "https://app.example.org/done"

_numbers = count(1)


@frozen
class Key:
    """A consumer, or a token: a key and its secret."""

    key: str
    secret: str


@define
class Application:
    """A program with a consumer key of its own.

    :ivar callback: where it sends people back to; ``None``: they type the verifier.
    """

    server: StackSyncProcess
    consumer: Key
    name: str
    callback: str | None
    method: str = SIGNATURE_HMAC_SHA256

    def session(
        self, token: Key | None = None, verifier: str | None = None, **options: Any
    ) -> OAuth1Session:
        """Signs what it sends."""
        options.setdefault("signature_method", self.method)
        return OAuth1Session(
            self.consumer.key,
            client_secret=self.consumer.secret,
            resource_owner_key=token.key if token is not None else None,
            resource_owner_secret=token.secret if token is not None else None,
            verifier=verifier,
            **options,
        )

    def url(self, path: str) -> str:
        return f"{self.server.http_url}{path}"

    def ask(self, callback: str | None = None, scope: str | None = None, **options: Any) -> Key:
        """A request token."""
        answer = self.try_to_ask(callback, scope, **options)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/x-www-form-urlencoded"
        fields = fields_of(answer)
        assert fields["oauth_callback_confirmed"] == "true"
        return Key(fields["oauth_token"], fields["oauth_token_secret"])

    def try_to_ask(
        self, callback: str | None = None, scope: str | None = None, **options: Any
    ) -> requests.Response:
        session = self.session(
            callback_uri=callback or self.callback or "oob",
            signature_type=SIGNATURE_TYPE_AUTH_HEADER,
            **options,
        )
        query = f"?scope={scope}" if scope is not None else ""
        return session.post(self.url(f"/oauth/request_token{query}"))

    def redeem(self, request_token: Key, verifier: str, **options: Any) -> Key:
        """An access token."""
        answer = self.try_to_redeem(request_token, verifier, **options)
        assert answer.status_code == 200, answer.text
        fields = fields_of(answer)
        return Key(fields["oauth_token"], fields["oauth_token_secret"])

    def try_to_redeem(self, request_token: Key, verifier: str, **options: Any) -> requests.Response:
        session = self.session(request_token, verifier, **options)
        return session.post(self.url("/oauth/access_token"))

    def allowed(self, user: KnownUser, scope: str | None = None) -> tuple[Key, str]:
        """A request token that somebody has allowed, and the verifier."""
        request_token = self.ask(scope=scope)
        return request_token, Browser(self.server).opens(request_token.key).allow(user)

    def let_in(self, user: KnownUser, scope: str | None = None) -> Key:
        """An access token of somebody who allows it."""
        return self.redeem(*self.allowed(user, scope))


def new_application(
    server: StackSyncProcess, callback: str | None = CALLBACK, name: str = "Photo frame", **how: Any
) -> Application:
    """A program that the operator knows; quicker than ``stacksync-admin``."""
    consumer = Key(f"consumer{next(_numbers)}", "secret of the consumer")
    with closing(psycopg2.connect(server.database_url)) as connection, connection:
        connection.cursor().execute(
            "INSERT INTO consumer (key, secret, name, callback) VALUES (%s, %s, %s, %s)",
            [consumer.key, consumer.secret, name, callback],
        )
    return Application(server, consumer, name, callback, **how)


def fields_of(answer: requests.Response) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(answer.text).items()}


@define
class Page(HTMLParser):
    """What a person sees, and what the form would send.

    :ivar inputs: the fields that a person or the page has filled in.
    :ivar ticked: the values of the boxes that are ticked, and of those that were before.
    :ivar labels: what the fields are called, by id.
    """

    browser: Browser
    answer: requests.Response
    action: str = ""
    inputs: dict[str, str] = field(factory=dict)
    boxes: dict[str, str] = field(factory=dict)
    ticked: list[str] = field(factory=list)
    labels: dict[str, str] = field(factory=dict)
    text: str = ""
    title: str = ""
    tags: list[tuple[str, dict[str, str | None]]] = field(factory=list)
    _open: list[str] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        super().__init__()
        self.feed(self.answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.append((tag, known))
        if tag == "form":
            self.action = known["action"] or ""
        if tag == "input":
            self._field(known)
        elif tag not in ("meta", "link"):
            self._open.append(tag)

    def _field(self, marks: dict[str, str | None]) -> None:
        name, value = marks["name"] or "", marks.get("value") or ""
        if name != "token":
            self.inputs[name] = value
        elif marks["type"] == "hidden" or "checked" in marks:
            self.ticked.append(value)
        if marks["type"] == "checkbox":
            self.boxes[marks["id"] or ""] = value

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, "the page is well-formed"

    def handle_data(self, data: str) -> None:
        within = self._open[-1] if self._open else ""
        if within == "title":
            self.title += data
        else:
            self.text += data
        if within == "label":
            (called,) = [marks["for"] for tag, marks in self.tags[-1:] if tag == "label"]
            self.labels[called or ""] = self.labels.get(called or "", "") + data

    def sends(
        self, *, headers: dict[str, str] | None = None, **fields: str | list[str]
    ) -> requests.Response:
        """Send the form with what was typed and ticked."""
        return self.browser.http.post(
            f"{self.browser.server.http_url}/oauth/{self.action}",
            data={**self.inputs, "token": self.ticked, **fields},
            headers={"Sec-Fetch-Site": "same-origin"} if headers is None else headers,
            allow_redirects=False,
        )

    def then(self, **fields: str | list[str]) -> Page:
        """The page that comes of it."""
        return Page(self.browser, self.sends(**fields))

    def allow(self, user: KnownUser) -> str:
        """Allow it; the verifier."""
        answer = self.sends(email=user.email, password=user.password, decision="allow")
        if answer.status_code == 200:
            shown = re.search(r'<code class="verifier">([^<]*)</code>', answer.text)
            assert shown is not None, answer.text
            return shown[1]
        assert answer.status_code == 303, answer.text
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert query["oauth_token"] == [self.inputs["oauth_token"]]
        return query["oauth_verifier"][0]


@define
class Browser:
    """Keeps cookies, as far as that matters here."""

    server: StackSyncProcess
    http: requests.Session = field(factory=requests.Session)

    def opens(self, request_token: str) -> Page:
        """The page that an application sends people to."""
        return Page(self, self.gets(request_token))

    def opens_applications(self) -> Page:
        """The page on which people end what they have allowed."""
        return Page(self, self.http.get(f"{self.server.http_url}/oauth/applications"))

    def gets(self, request_token: str) -> requests.Response:
        return self.http.get(
            f"{self.server.http_url}/oauth/authorize", params={"oauth_token": request_token}
        )
