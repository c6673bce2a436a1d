"""What nobody is let in with: tampered, replayed, stale, used, denied, expired, revoked, made up.

Each is refused with the right code, and says what is wrong as far as a
stranger may know.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from oauthlib.oauth1 import SIGNATURE_PLAINTEXT

from tests.db.observation import Psql
from tests.integration.clients.oauth_app import CALLBACK, Application, Browser, Key, new_application
from tests.servers.stacksync import KnownUser, StackSyncProcess

NOBODYS = Key("nobodys-key", "no secret")
Alter = Callable[[requests.PreparedRequest], None]


@pytest.fixture(scope="module")
def desk(server: StackSyncProcess) -> Application:
    """One that has no place to send people back to."""
    return new_application(server, None)


@pytest.fixture
def token(app: Application, user: KnownUser) -> Key:
    return app.let_in(user)


def nonces(psql: Psql) -> int:
    return int(psql.value("SELECT count(*) FROM oauth_nonce"))


def problem(answer: requests.Response, code: int) -> str:
    """What an answer of this code says."""
    assert answer.status_code == code, answer.text
    if answer.headers["Content-Type"].startswith("text/plain"):
        if code == 401:
            assert answer.headers["WWW-Authenticate"].startswith("OAuth ")
        return answer.text
    return str(answer.json()["description"])


def signed(app: Application, token: Key, **options: Any) -> requests.PreparedRequest:
    asked = requests.Request("GET", app.url("/api/trash?limit=5"))
    return app.session(token, **options).prepare_request(asked)


def send(request: requests.PreparedRequest) -> requests.Response:
    return requests.Session().send(request)


def in_header(old: str, new: str) -> Alter:
    def alter(request: requests.PreparedRequest) -> None:
        header: Any = request.headers["Authorization"]
        text = header.decode() if isinstance(header, bytes) else str(header)
        assert old in text
        request.headers["Authorization"] = text.replace(old, new, 1)

    return alter


def other_query(request: requests.PreparedRequest) -> None:
    request.url = str(request.url).replace("limit=5", "limit=6")


def other_path(request: requests.PreparedRequest) -> None:
    request.url = str(request.url).replace("/api/", "/v1/")


def other_method(request: requests.PreparedRequest) -> None:
    request.method = "HEAD"


def other_host(request: requests.PreparedRequest) -> None:
    request.headers["Host"] = "elsewhere.example.org"


def added_form(request: requests.PreparedRequest) -> None:
    request.prepare_body({"more": "1"}, None)


@pytest.mark.parametrize(
    "alter",
    [
        *(other_query, other_path, other_method, other_host, added_form),
        in_header('oauth_nonce="', 'oauth_nonce="1'),
        in_header('oauth_signature="', 'oauth_signature="A'),
        in_header('oauth_consumer_key="', 'oauth_consumer_key="x'),
        in_header('oauth_token="', 'oauth_token="x'),
        in_header('"HMAC-SHA256"', '"HMAC-SHA1"'),
        in_header('"HMAC-SHA256"', '"PLAINTEXT"'),
    ],
)
def test_what_was_tampered_with_is_refused_and_leaves_nothing_behind(
    app: Application, token: Key, psql: Psql, alter: Alter
) -> None:
    request = signed(app, token)
    alter(request)
    before = nonces(psql)
    answer = send(request)
    assert answer.status_code == 401
    if request.method != "HEAD":
        assert answer.json()["description"].startswith("oauth_signature: wrong; or ")
    assert nonces(psql) == before


@pytest.mark.parametrize(
    "alter",
    [
        in_header("OAuth ", 'OAuth oauth_nonce="1", '),
        in_header('oauth_version="1.0"', 'oauth_version="2.0"'),
        in_header("oauth_nonce=", "oauth_once="),
        in_header("oauth_signature=", "signature="),
        in_header('oauth_timestamp="', 'oauth_timestamp="1'),
        in_header('oauth_timestamp="', 'oauth_timestamp="x'),
        in_header('"HMAC-SHA256"', '"RSA-SHA1"'),
        in_header('"HMAC-SHA256"', '"HMAC-SHA512"'),
        in_header('oauth_nonce="', 'oauth_nonce="%zz'),
        in_header('oauth_nonce="', "oauth_nonce="),
        in_header('oauth_nonce="', 'oauth_nonce="%20'),
        in_header('oauth_token="', 'oauth_token="' + "x" * 200),
    ],
)
def test_what_can_not_be_a_signed_request_is_refused_by_name(
    app: Application, token: Key, alter: Alter
) -> None:
    request = signed(app, token)
    alter(request)
    answer = send(request)
    assert answer.status_code == 400, answer.text
    assert answer.json()["parameter"] in answer.json()["description"]


def test_parameters_in_two_places_and_semicolons_are_refused(app: Application, token: Key) -> None:
    request = signed(app, token)
    request.url = f"{request.url}&oauth_nonce=2"
    assert "in one place" in problem(send(request), 400)
    # As a parameter of its own some read what another has signed as a part of a value.
    request = signed(app, token)
    request.url = f"{request.url}%3Bx=1".replace("%3B", ";")
    assert "%3B" in problem(send(request), 400)


def test_a_request_counts_once(app: Application, token: Key) -> None:
    request = signed(app, token)
    assert send(request).status_code == 200
    assert "oauth_nonce" in problem(send(request), 401)
    assert send(signed(app, token)).status_code == 200


def test_the_same_nonce_at_another_time_or_with_another_token_is_another_one(
    app: Application, people: Any
) -> None:
    one, two, now = app.let_in(people.add()), app.let_in(people.add()), int(time.time())
    for token, at in ((one, now), (one, now - 1), (two, now)):
        assert send(signed(app, token, nonce="n", timestamp=str(at))).status_code == 200
    assert send(signed(app, one, nonce="n", timestamp=str(now))).status_code == 401


@pytest.mark.parametrize("away", [-400, 400])
def test_clocks_may_differ_by_five_minutes_and_no_more(
    app: Application, token: Key, away: int
) -> None:
    nearly = str(int(time.time()) + away * 3 // 5)
    assert send(signed(app, token, timestamp=nearly)).status_code == 200
    far = str(int(time.time()) + away)
    told = problem(send(signed(app, token, timestamp=far)), 401)
    assert told.startswith("oauth_timestamp: ")
    assert ("ahead" if away > 0 else "behind") in told


def test_an_access_token_is_of_no_use_to_another_application(
    app: Application, desk: Application, token: Key
) -> None:
    assert send(signed(desk, token)).status_code == 401


def test_a_request_token_opens_no_files(app: Application, user: KnownUser) -> None:
    request_token, _ = app.allowed(user)
    assert send(signed(app, request_token)).status_code == 401


def test_a_wrong_verifier_is_refused_and_five_are_the_end(
    app: Application, user: KnownUser
) -> None:
    request_token, verifier = app.allowed(user)
    for _ in range(4):
        assert "oauth_verifier" in problem(app.try_to_redeem(request_token, "wrong"), 401)
    assert app.try_to_redeem(request_token, verifier).status_code == 200
    request_token, verifier = app.allowed(user)
    for _ in range(5):
        problem(app.try_to_redeem(request_token, "wrong"), 401)
    assert "oauth_token" in problem(app.try_to_redeem(request_token, verifier), 401)


def test_a_request_token_is_redeemed_once(app: Application, user: KnownUser) -> None:
    request_token, verifier = app.allowed(user)
    app.redeem(request_token, verifier)
    problem(app.try_to_redeem(request_token, verifier), 401)


def test_a_request_token_that_nobody_has_allowed_or_that_was_denied_gives_nothing(
    app: Application,
) -> None:
    request_token = app.ask()
    assert "nobody has allowed" in problem(app.try_to_redeem(request_token, "x"), 401)
    assert Browser(app.server).opens(request_token.key).sends(decision="deny").status_code == 303
    assert "has said no" in problem(app.try_to_redeem(request_token, "x"), 401)


def test_what_has_expired_is_gone(app: Application, user: KnownUser, psql: Psql) -> None:
    request_token, verifier = app.allowed(user)
    psql.rows(
        "UPDATE request_token SET expires_at = now() WHERE key = %s RETURNING 1", request_token.key
    )
    problem(app.try_to_redeem(request_token, verifier), 401)
    assert Browser(app.server).gets(request_token.key).status_code == 404
    token = app.let_in(user)
    psql.rows("UPDATE token SET expires_at = now() WHERE oauth_key = %s RETURNING 1", token.key)
    problem(send(signed(app, token)), 401)


def test_strangers_learn_nothing_by_asking(app: Application, token: Key) -> None:
    stranger = Application(app.server, NOBODYS, "x", CALLBACK)
    liar = Application(app.server, Key(app.consumer.key, "wrong"), "x", CALLBACK)
    told = {problem(each.try_to_ask(), 401) for each in (stranger, liar)}
    told |= {problem(app.try_to_redeem(each, "x"), 401) for each in (NOBODYS, token)}
    assert len(told) == 1
    told = {
        problem(send(signed(stranger, NOBODYS)), 401),
        problem(send(signed(stranger, token)), 401),
        problem(send(signed(app, NOBODYS)), 401),
        problem(send(signed(app, Key(token.key, "wrong"))), 401),
    }
    assert len(told) == 1


def test_without_a_registered_callback_only_oob_is_taken(desk: Application) -> None:
    assert "oauth_callback" in problem(desk.try_to_ask(CALLBACK), 400)
    assert desk.try_to_ask("oob").status_code == 200


def test_with_one_people_are_sent_nowhere_else(app: Application) -> None:
    for elsewhere in ("oob", "https://evil.org/done"):
        assert "oauth_callback" in problem(app.try_to_ask(elsewhere), 400)


def test_what_is_asked_for_has_to_be_known(app: Application) -> None:
    assert "scope" in problem(app.try_to_ask(scope="everything"), 400)
    session = app.session(callback_uri=CALLBACK)
    asked = session.post(app.url("/oauth/request_token?scopes=read-only"))
    assert "scopes" in problem(asked, 400)
    assert session.get(app.url("/oauth/request_token")).status_code == 405


def test_secrets_go_where_nobody_listens(app: Application, token: Key, user: KnownUser) -> None:
    passed_on = {"X-Forwarded-For": "192.0.2.7"}
    session = app.session(token, signature_method=SIGNATURE_PLAINTEXT)
    assert session.get(app.url("/api/account")).status_code == 200
    refused = session.get(app.url("/api/account"), headers=passed_on)
    assert "PLAINTEXT" in problem(refused, 400)
    asked = app.session(callback_uri=CALLBACK).post(
        app.url("/oauth/request_token"), headers=passed_on
    )
    assert "TLS" in problem(asked, 403)
    page = requests.get(
        app.url("/oauth/authorize"),
        params={"oauth_token": app.ask().key},
        headers=passed_on,
        timeout=30,
    )
    assert page.status_code == 403
    assert "<input" not in page.text
