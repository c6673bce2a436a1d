"""What all resources do alike: sign-in, methods, versions of the API, errors, giving up."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs

from stacksync.errors import Unavailable
from tests.protocols.http.builders import NOBODYS, new_file
from tests.protocols.http.client import Client, eventually
from tests.protocols.http.conftest import PASSWORD, Server, StartSite, User
from tests.protocols.http.engines import MadeUpEngine, Noun, raising

PRIVATE = [
    ("GET", "/api/account"),
    ("GET", "/api/devices"),
    ("POST", "/api/devices"),
    ("PUT", f"/api/devices/{NOBODYS}"),
    ("GET", "/api/workspaces"),
    ("GET", f"/api/workspaces/{NOBODYS}"),
    ("PUT", f"/api/workspaces/{NOBODYS}"),
    ("GET", f"/api/workspaces/{NOBODYS}/changes"),
    ("POST", f"/api/workspaces/{NOBODYS}/commits"),
    ("GET", "/api/events"),
    ("GET", "/v1/account"),
]


@pytest.mark.parametrize(("method", "path"), PRIVATE)
@ensureDeferred
async def test_a_stranger_is_asked_to_sign_in(server: Server, method: str, path: str) -> None:
    answer = await Client(server.port).request(method, path)

    assert answer.code == 401
    assert answer.header("WWW-Authenticate") == (
        'Basic realm="StackSync", charset="UTF-8", Bearer realm="StackSync",'
        ' OAuth realm="StackSync"'
    )
    assert answer.json["error"] == 401


@ensureDeferred
async def test_a_wrong_password_and_an_unknown_e_mail_get_one_answer(
    server: Server, anna: User
) -> None:
    wrong = await Client(server.port, (anna.account.email, "wrong")).get("/api/account")
    unknown = await Client(server.port, ("nobody@example.org", PASSWORD)).get("/api/account")

    assert wrong.code == unknown.code == 401
    assert wrong.json == unknown.json


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        "Bearer abc",
        "Basic " + b64encode(b"no colon").decode(),
        "Basic " + b64encode(b"anna@example.org:\xff").decode(),
        "Basic " + b64encode(b"anna@example.org:x").decode() + " more",
        ["Basic " + b64encode(b"a:b").decode()] * 2,
    ],
)
@ensureDeferred
async def test_credentials_that_cannot_be_read_are_none(
    server: Server, authorization: str | list[str]
) -> None:
    answer = await Client(server.port).get("/api/account", headers={"Authorization": authorization})

    assert answer.code == 401


@ensureDeferred
async def test_a_password_may_hold_colons_and_any_letter(server: Server) -> None:
    password = "a:b:ü🔑"
    account = await server.engine.accounts.create(
        "colon@example.org",
        name=None,
        quota_limit=1,
        password_hash=await server.hasher.hash(password),
    )

    answer = await Client(server.port, ("Colon@example.org", password)).get("/api/account")

    assert answer.json["id"] == str(account.id)


@ensureDeferred
async def test_too_many_wrong_passwords_are_told_to_slow_down(server: Server, anna: User) -> None:
    guesses = [
        Deferred.fromCoroutine(
            Client(server.port, (anna.account.email, f"guess {number}")).get("/api/account")
        )
        for number in range(30)
    ]
    answers = [await guess for guess in guesses]

    assert {answer.code for answer in answers} == {401, 429}
    slowed = next(answer for answer in answers if answer.code == 429)
    assert int(slowed.header("Retry-After") or 0) >= 1


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/account", "GET, HEAD"),
        ("DELETE", "/api/devices", "GET, HEAD, POST"),
        ("GET", f"/api/devices/{NOBODYS}", "DELETE, PUT"),
        ("PATCH", f"/api/workspaces/{NOBODYS}", "GET, HEAD, PUT"),
        ("GET", f"/api/workspaces/{NOBODYS}/commits", "POST"),
        ("OPTIONS", "/api/events", "GET, HEAD"),
        ("BREW", "/healthz", "GET, HEAD"),
        ("POST", "/readyz", "GET, HEAD"),
    ],
)
@ensureDeferred
async def test_a_method_that_a_resource_has_not_is_refused_with_those_that_it_has(
    server: Server, method: str, path: str, allowed: str
) -> None:
    answer = await Client(server.port).request(method, path)

    assert answer.code == 405
    assert answer.header("Allow") == allowed
    assert answer.json["description"] == f"{method} {path}: allowed here: {allowed}"


@pytest.mark.parametrize(
    "path",
    [
        *("/nothing", "/api/nothing", "/api/account/more", "/api/devices/", "/apis"),
        *("/", "/api", "/api/file/1/version", "/api/workspaces/x/chunks"),
        *("/api/workspaces/x/nothing", "/api/workspaces/x/changes/1", "/api//account"),
        *("/%ff", "/api/../etc/passwd", "/api/%2e%2e", "/API/account", "/" + "x" * 5000),
    ],
)
@ensureDeferred
async def test_a_path_that_leads_nowhere_is_not_found(anna: User, path: str) -> None:
    answer = await anna.client.get(path)

    assert answer.code == 404
    assert answer.json == {"error": 404, "description": f"there is nothing at {path}"}


@pytest.mark.parametrize("path", ["/api/account", "/api/workspaces", "/healthz", "/api/nothing"])
@ensureDeferred
async def test_head_is_get_without_the_body(anna: User, path: str) -> None:
    get = await anna.client.get(path)
    head = await anna.client.request("HEAD", path)

    assert (head.code, head.body) == (get.code, b"")
    assert head.header("Content-Length") == str(len(get.body))


@pytest.mark.parametrize("name", ["StackSync-API", "X-StackSync-API", "stacksync-api"])
@ensureDeferred
async def test_only_version_2_of_the_api_is_spoken(anna: User, name: str) -> None:
    codes = [
        (await anna.client.get("/api/account", headers={name: version})).code
        for version in ("v2", "v1", "2", "", "v2, v1")
    ]

    assert codes == [200, 400, 400, 400, 400]


@ensureDeferred
async def test_v1_is_another_name_for_api(anna: User) -> None:
    one, other = await anna.client.get("/api/account"), await anna.client.get("/v1/account")

    assert one.json == other.json


@ensureDeferred
async def test_a_fault_of_ours_gives_nothing_away_but_an_id_for_the_log(
    start_site: StartSite,
) -> None:
    fault = RuntimeError("password=hunter2 in /etc/secret")
    _, client = await start_site(MadeUpEngine(accounts=Noun(of=raising(fault))))

    with capturedLogs() as logged:
        answer = await client.get("/api/account?token=abc")

    assert answer.code == 500
    assert answer.json["error"] == 500
    assert b"hunter2" not in answer.body
    (event,) = [event for event in logged if "error_id" in event]
    assert event["log_level"] is LogLevel.critical
    assert event["error_id"] in answer.json["description"]
    assert event["log_failure"].value is fault
    assert event["request"] == "GET /api/account"


@ensureDeferred
async def test_an_engine_without_its_database_is_unavailable_for_now(
    start_site: StartSite,
) -> None:
    error = Unavailable("database", "restarting")
    _, client = await start_site(MadeUpEngine(workspaces=Noun(list=raising(error))))

    answer = await client.get("/api/workspaces")

    assert answer.code == 503
    assert answer.json == {"error": 503, "description": "database: restarting"}
    assert answer.header("Retry-After") == "1"


class NeverAnswers:
    """Operations that end only by being cancelled."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0

    async def list(self, *_: Any) -> Any:
        self.begun += 1
        try:
            await Deferred()
        except CancelledError:
            self.cancelled += 1
            raise


@ensureDeferred
async def test_a_request_is_cancelled_when_its_client_goes(start_site: StartSite) -> None:
    devices = NeverAnswers()
    site, client = await start_site(MadeUpEngine(devices=devices))
    connection = await client.raw()
    connection.send(f"GET /api/devices HTTP/1.1\r\nHost: x\r\n{client.authorization_line}\r\n")
    await eventually(lambda: devices.begun)

    with capturedLogs() as logged:
        connection.hang_up()
        await eventually(lambda: devices.cancelled)

    assert len(site.in_flight) == 0
    assert not [event for event in logged if event["log_level"] >= LogLevel.warn]


@ensureDeferred
async def test_a_request_that_takes_too_long_is_answered_so(start_site: StartSite) -> None:
    devices = NeverAnswers()
    clock = Clock()
    site, client = await start_site(MadeUpEngine(devices=devices), clock=clock, request_timeout=60)
    asked = Deferred.fromCoroutine(client.get("/api/devices"))
    await eventually(lambda: devices.begun)

    clock.advance(61)

    answer = await asked
    assert answer.code == 503
    assert "took too long" in answer.json["description"]
    assert answer.header("Retry-After") == "1"
    assert devices.cancelled == 1
    assert len(site.in_flight) == 0


@ensureDeferred
async def test_requests_on_one_connection_are_answered_in_their_order(anna: User) -> None:
    connection = await anna.client.raw()
    body = b"{}"
    post = (
        f"POST {anna.commits} HTTP/1.1\r\nHost: x\r\n{anna.client.authorization_line}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    get = f"GET /api/account HTTP/1.1\r\nHost: x\r\n{anna.client.authorization_line}".encode()

    connection.send(get + b"\r\n" + post + get + b"Connection: close\r\n\r\n")

    answers = await connection.until_closed()
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"400", b"200"]


@ensureDeferred
async def test_http_1_0_is_answered(anna: User) -> None:
    connection = await anna.client.raw()
    connection.send(f"GET /api/account HTTP/1.0\r\n{anna.client.authorization_line}\r\n")

    assert (await connection.until_closed()).startswith(b"HTTP/1.0 200")


@ensureDeferred
async def test_a_sign_in_is_checked_before_the_body(server: Server, anna: User) -> None:
    stranger = Client(server.port)

    assert (await stranger.post(anna.commits, body=b"{")).code == 401
    assert (await anna.client.post(anna.commits, body=b"{")).code == 400
    assert (await anna.client.post(anna.commits, anna.batch(new_file()))).code == 200
