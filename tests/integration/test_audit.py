"""What happened is found in the audit: who did what, to whom, from where and how signed in."""

from __future__ import annotations

import http.client
import selectors
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from tests.db.observation import Psql
from tests.integration.surroundings.fleet import Fleet
from tests.servers.stacksync import StackSyncProcess

FIRST, SECOND, WRONG = "the first password", "the second password", "a wrong password"
HERE = "127.0.0.1"
GUESSES, AT_ONCE = 120, 20


class Client:
    """Somebody at the HTTP API, with a password or a token."""

    def __init__(self, server: StackSyncProcess, signed_in: Any) -> None:
        self._url = f"{server.http_url}/api"
        self._session = requests.Session()
        self._session.trust_env = False
        if isinstance(signed_in, str):
            self._session.headers["Authorization"] = f"Bearer {signed_in}"
        else:
            self._session.auth = signed_in

    def does(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self._session.request(method, self._url + path, json=body, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def close(self) -> None:
        self._session.close()


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str) -> StackSyncProcess:
    """A server without AMQP."""
    return module_fleet.start(module_database_dsn)


@pytest.fixture(scope="module")
def psql(server: StackSyncProcess) -> Iterator[Psql]:
    with closing(Psql(server.database_url)) as session:
        yield session


def audit(server: StackSyncProcess, *arguments: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = server.admin("audit", "--limit", "1000", *arguments)["events"]
    return events


def until_noted(psql: Psql, number: int, kind: str, email: str = "%") -> None:
    """Wait until so many sign-ins or refusals are written; that is done each second.

    They are dated then, by how long ago they were: never later than what is
    done after this.  And with the e-mail that the account has by then.

    :param email: empty: of those who are not told by one.
    """
    end = time.monotonic() + 30.0
    counted = (
        "SELECT coalesce(sum(count), 0) FROM audit_event"
        " WHERE kind = %s AND coalesce(email, '') LIKE %s"
    )
    while (noted := psql.value(counted, kind, email)) < number:
        assert time.monotonic() < end, f"{noted} of {number} {kind}"
        time.sleep(0.05)


def assert_nothing_secret(server: StackSyncProcess, psql: Psql, *secrets: str) -> None:
    """Neither in the table nor in the log."""
    rows = psql.value("SELECT string_agg(a::text, ' ') FROM audit_event a")
    log = server.log_text()
    assert "signed-in" in rows
    assert "audit: signed-in" in log
    for secret in secrets:
        basic = b64encode(f"anna@example.org:{secret}".encode()).decode()
        for written in (secret, basic):
            assert written not in rows
            assert written not in log


def test_a_story_is_told_from_the_first_step_to_the_last(
    server: StackSyncProcess, psql: Psql
) -> None:
    began = datetime.now(UTC)
    anna = server.add_user("anna@example.org", FIRST)
    berta = server.add_user("berta@example.org", FIRST)
    with ExitStack() as clients:

        def client(signed_in: Any) -> Client:
            return clients.enter_context(closing(Client(server, signed_in)))

        hers = client((anna.email, FIRST))
        client((anna.email, WRONG)).does("GET", "/account", status=401)
        until_noted(psql, 1, "refused", anna.email)
        hers.does("GET", "/account")
        until_noted(psql, 1, "signed-in", anna.email)
        token = hers.does("POST", "/tokens", {"name": "phone", "device": {"name": "phone"}}, 201)
        phone = client(token["token"])
        phone.does("GET", "/account")
        until_noted(psql, 2, "signed-in", anna.email)
        folder = phone.does("POST", "/folder", {"name": "Photos"}, 201)["id"]
        offer = {"share_to": [berta.email], "role": "viewer"}
        phone.does("POST", f"/folder/{folder}/share", offer, 201)
        bertas = client((berta.email, FIRST))
        (proposal,) = bertas.does("GET", "/shares")["shares"]
        until_noted(psql, 1, "signed-in", berta.email)
        bertas.does("POST", f"/shares/{proposal['id']}/accept")
        phone.does("POST", f"/folder/{folder}/unshare", [berta.email])
        hers.does("DELETE", f"/tokens/{token['id']}", status=204)
        phone.does("GET", "/account", status=401)
        until_noted(psql, 1, "refused", "")
        hers.does("PUT", "/account/password", {"password": SECOND}, 204)
    server.admin("user", "set", anna.email, "--email", "anna@example.net")
    server.admin("user", "remove", "berta@example.org")

    told = audit(server, "--account", str(anna.id))
    password, phones, operator = (HERE, "password"), (HERE, "token"), (None, "operator")
    assert [(each["kind"], (each["address"], each["sign_in"])) for each in told] == [
        ("account-created", operator),
        ("refused", password),
        ("signed-in", password),
        ("token-created", password),
        ("signed-in", phones),
        ("share-proposed", phones),
        ("unshared", phones),
        ("token-revoked", password),
        ("password-changed", password),
        ("account-changed", operator),
    ]
    detail = {each["kind"]: each["detail"] for each in told}
    assert detail["signed-in"]["token_id"] == token["id"]
    assert (detail["share-proposed"]["to"], detail["share-proposed"]["role"]) == (
        *([berta.email], "viewer"),
    )
    assert (detail["unshared"]["by"], detail["unshared"]["folder"]) == (str(anna.id), "Photos")
    assert detail["account-changed"] == {"email_before": anna.email}
    ended = datetime.now(UTC)
    assert all(began <= datetime.fromisoformat(each["at"]) <= ended for each in told)
    # Who is gone is still told about, by the name that she had.
    assert [each["kind"] for each in audit(server, "--account", berta.email)] == [
        *("account-created", "signed-in", "share-accepted", "unshared", "account-removed"),
    ]
    # A token that was revoked is nobody's any more; what is told is from where it came.
    refused = psql.rows(
        "SELECT sign_in, address FROM audit_event WHERE account_id IS NULL AND email IS NULL"
    )
    assert refused == [("token", HERE)]
    assert_nothing_secret(server, psql, FIRST, SECOND, WRONG, token["token"])


def test_a_flood_of_guesses_is_told_in_a_few_lines(server: StackSyncProcess, psql: Psql) -> None:
    """10,000 of them are in the engine's own tests; here, that the front-end tells them."""
    before = psql.value("SELECT count(*) FROM audit_event")
    port = int(server.http_url.rpartition(":")[2])

    def guess(connection: http.client.HTTPConnection, number: int) -> None:
        told = b64encode(f"victim@example.org:guess {number}".encode()).decode()
        connection.request("GET", "/api/account", headers={"Authorization": f"Basic {told}"})

    with ExitStack() as connections:
        answered = connections.enter_context(selectors.DefaultSelector())
        for number in range(AT_ONCE):
            guesser = http.client.HTTPConnection(HERE, port)
            connections.enter_context(closing(guesser))
            guess(guesser, number)
            answered.register(guesser.sock, selectors.EVENT_READ, guesser)
        # Those whose answer is held back keep the others out, who are answered at once.  Whoever
        # has his answer guesses on, or all would be let in, one by one, after some seconds.
        number = AT_ONCE
        while number < GUESSES:
            for key, _ in answered.select()[: GUESSES - number]:
                key.data.getresponse().read()
                guess(key.data, number)
                number += 1
        until_noted(psql, GUESSES, "refused", "victim@example.org")
    lines = psql.rows(
        "SELECT detail->>'problem', sum(count) FROM audit_event"
        " WHERE email = 'victim@example.org' GROUP BY 1"
    )
    assert set(dict(lines)) == {"wrong", "too many attempts"}
    assert sum(dict(lines).values()) == GUESSES
    assert psql.value("SELECT count(*) FROM audit_event") - before < GUESSES / 4
    assert server.log_text().count("victim@example.org") < GUESSES / 4
