"""An application asks somebody for access, is let in, and works with the files.

requests-oauthlib is the application, as programs in the wild are.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
import requests
from oauthlib.oauth1 import (
    SIGNATURE_HMAC_SHA1,
    SIGNATURE_HMAC_SHA256,
    SIGNATURE_PLAINTEXT,
    SIGNATURE_TYPE_AUTH_HEADER,
    SIGNATURE_TYPE_BODY,
    SIGNATURE_TYPE_QUERY,
)

from tests.integration.clients.oauth_app import (
    CALLBACK,
    Application,
    Browser,
    Page,
    new_application,
)
from tests.integration.surroundings.fleet import Fleet
from tests.servers.stacksync import KnownUser, StackSyncProcess

METHODS = [SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, SIGNATURE_PLAINTEXT]
PLACES = [SIGNATURE_TYPE_AUTH_HEADER, SIGNATURE_TYPE_QUERY, SIGNATURE_TYPE_BODY]
DOCUMENTED = Path(__file__).parents[3] / "docs" / "http.rst"
EXAMPLE = re.compile(r"^\.\. code-block:: python\n\n((?: {3}.*\n|\n)+)", re.MULTILINE)
UNICODE_NAME = "Größe & Maß = 100 % ~ (é) +ü;a·b"


@pytest.fixture(scope="module")
def desk(server: StackSyncProcess) -> Application:
    """An application that shows people a field for the verifier."""
    return new_application(server, None, "Desk")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("callback", [CALLBACK, None], ids=["callback", "oob"])
def test_an_application_is_let_in_and_acts_for_the_person(
    server: StackSyncProcess, user: KnownUser, method: str, callback: str | None
) -> None:
    app = new_application(server, callback, method=method)
    session = app.session(app.let_in(user))
    assert session.get(app.url("/api/account")).json()["email"] == user.email
    made = session.post(app.url("/v1/folder"), json={"name": "by the application"})
    assert made.status_code == 201, made.text


@pytest.mark.parametrize("place", PLACES)
def test_the_signature_may_stand_in_header_query_or_body(
    app: Application, user: KnownUser, place: str
) -> None:
    request_token = app.ask()
    verifier = Browser(app.server).opens(request_token.key).allow(user)
    answer = app.try_to_redeem(request_token, verifier, signature_type=place)
    assert answer.status_code == 200, answer.text


def test_a_request_for_files_may_be_signed_in_its_query_or_form(
    app: Application, user: KnownUser
) -> None:
    token = app.let_in(user)
    by_query = app.session(token, signature_type=SIGNATURE_TYPE_QUERY)
    by_form = app.session(token, signature_type=SIGNATURE_TYPE_BODY)
    made = by_query.post(
        app.url("/api/file?" + urlencode({"name": "né", "parent": 0})),
        data=b"\0",
        headers={"Content-Type": "application/octet-stream"},
    )
    assert made.status_code == 201, made.text
    version = app.url(f"/api/file/{made.json()['id']}/version/1")
    assert by_query.get(version).json()["filename"] == "né"
    restored = by_form.post(version)
    assert restored.status_code == 200, restored.text


@pytest.mark.parametrize("content", [b"\x00\xff" * 100_000, b"a=b&c=d%20e", b"plain text", b""])
def test_files_go_up_and_come_down_whatever_they_are_called_and_hold(
    app: Application, user: KnownUser, content: bytes
) -> None:
    # requests-oauthlib calls a body a form where it could be one, and signs it then.
    session = app.session(app.let_in(user))
    place = app.url("/api/file?" + urlencode({"name": UNICODE_NAME, "parent": 0}))
    made = session.post(place, data=content)
    assert made.status_code == 201, made.text
    assert made.json()["filename"] == UNICODE_NAME
    data = app.url(f"/api/file/{made.json()['id']}/data")
    assert session.get(data).content == content
    replaced = session.put(data, data=content + b"&more=1")
    assert replaced.status_code == 200, replaced.text
    assert session.get(data).content == content + b"&more=1"


def test_a_path_with_percent_signs_is_signed_as_it_is_sent(
    app: Application, user: KnownUser
) -> None:
    session = app.session(app.let_in(user))
    (workspace,) = session.get(app.url("/api/workspaces")).json()["workspaces"]
    name = quote("chk é~+", safe="~")
    chunk = app.url(f"/api/workspaces/{workspace['id']}/chunks/{name}")
    put = session.put(chunk, data=b"\0", headers={"Content-Type": "application/octet-stream"})
    assert put.status_code == 201, put.text
    assert session.get(chunk).content == b"\0"


def test_who_asks_for_reading_alone_gets_no_more(app: Application, user: KnownUser) -> None:
    request_token = app.ask(scope="read-only")
    page = Browser(app.server).opens(request_token.key)
    assert "cannot change anything" in page.text
    assert "add, change, move and delete" not in page.text
    session = app.session(app.redeem(request_token, page.allow(user)))
    assert session.get(app.url("/api/folder/0/contents")).status_code == 200
    refused = session.post(app.url("/api/folder"), json={"name": "x"})
    assert refused.status_code == 403
    assert "may only read" in refused.json()["description"]


def test_an_application_is_no_person(app: Application, user: KnownUser) -> None:
    session = app.session(app.let_in(user))
    assert session.post(app.url("/api/tokens"), json={"name": "more"}).status_code == 403


def test_its_owner_sees_and_ends_an_application(app: Application, user: KnownUser) -> None:
    session = app.session(app.let_in(user))
    assert session.get(app.url("/api/account")).status_code == 200
    password = (user.email, user.password)
    (token,) = requests.get(app.url("/api/tokens"), auth=password, timeout=30).json()["tokens"]
    assert (token["application"], token["scope"]) == ("Photo frame", "sync")
    assert token["used_at"] is not None
    ended = requests.delete(app.url(f"/api/tokens/{token['id']}"), auth=password, timeout=30)
    assert ended.status_code == 204
    assert session.get(app.url("/api/account")).status_code == 401


def test_a_new_password_ends_what_was_allowed_before(app: Application, user: KnownUser) -> None:
    session = app.session(app.let_in(user))
    waiting = app.allowed(user)
    app.server.admin("user", "passwd", user.email, "--password-stdin", text="another horse")
    assert session.get(app.url("/api/account")).status_code == 401
    assert app.try_to_redeem(*waiting).status_code == 401


def test_every_instance_knows_what_another_has_seen(
    app: Application, user: KnownUser, module_fleet: Fleet
) -> None:
    other = module_fleet.start(app.server.database_url)
    token = app.let_in(user)
    there = Application(other, app.consumer, app.name, app.callback)
    assert there.session(token).get(there.url("/api/account")).status_code == 200
    # What both are sent is the same request, as through a balancer.
    session = app.session(token)
    sent = session.prepare_request(requests.Request("GET", app.url("/api/account")))
    assert session.send(sent).status_code == 200
    sent.url, sent.headers["Host"] = there.url("/api/account"), app.server.http_url[7:]
    refused = requests.Session().send(sent)
    assert refused.status_code == 401
    assert "oauth_nonce" in refused.json()["description"]


def test_an_operator_adds_lists_and_revokes_applications(
    server: StackSyncProcess, user: KnownUser
) -> None:
    added = server.admin("consumer", "add", "Desk", "--callback", CALLBACK)
    app = new_application(server, CALLBACK)
    app.consumer = type(app.consumer)(added["key"], added["secret"])
    token, waiting = app.let_in(user), app.allowed(user)
    listed = {each["key"]: each for each in server.admin("consumer", "list")["consumers"]}
    assert listed[added["key"]]["callback"] == CALLBACK
    assert "secret" not in listed[added["key"]]
    server.admin("consumer", "revoke", added["key"])
    assert app.session(token).get(app.url("/api/account")).status_code == 401
    assert app.try_to_redeem(*waiting).status_code == 401
    assert app.try_to_ask().status_code == 401


def test_the_example_in_the_documentation_works(
    desk: Application, user: KnownUser, capsys: pytest.CaptureFixture[str]
) -> None:
    text = DOCUMENTED.read_text().partition("Applications (OAuth 1.0a)\n---")[2]
    example = EXAMPLE.findall(text)[0].replace("http://127.0.0.1:8080", desk.server.http_url)

    def played(_: str) -> str:
        url = capsys.readouterr().out.split()[-1]
        browser = Browser(desk.server)
        return Page(browser, browser.http.get(url)).allow(user)

    known = {"key": desk.consumer.key, "secret": desk.consumer.secret, "input": played}
    exec(textwrap.dedent(example), known)
    assert user.email in capsys.readouterr().out
