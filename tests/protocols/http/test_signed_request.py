"""What is signed is read from a request as the client has sent it; the rest is as if unsigned."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from zope.interface import implementer

from stacksync.config import HttpConfig
from stacksync.errors import Forbidden
from stacksync.interfaces import ISignatureAuthenticator
from stacksync.model import Principal, SignedRequest, SignIn
from stacksync.protocols.http.sign_in import SignInWays
from stacksync.protocols.http.signed_request import FORM_BYTES
from stacksync.protocols.http.site import ApiSite, make_site
from tests.protocols.http.client import Client, Response
from tests.protocols.http.engines import ANNA, AnybodyIsAnna, MadeUpEngine, Noun

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


@implementer(ISignatureAuthenticator)
@define
class Registrar:
    """Writes down what was signed, and takes it for Anna's."""

    seen: list[SignedRequest] = field(factory=list)

    async def authenticate_signed(self, request: SignedRequest, address: str) -> Principal:
        self.seen.append(request)
        return Principal(ANNA, SignIn.OAUTH)


@define
class Desk:
    """A site on which everything is taken for signed, and what has reached the engine."""

    registrar: Registrar
    client: Client
    written: list[bytes]

    async def signs(self, method: str, path: str, **options: Any) -> tuple[Response, SignedRequest]:
        headers = {"Authorization": 'OAuth oauth_nonce="n"', **options.pop("headers", {})}
        answer = await self.client.request(method, path, headers=headers, **options)
        assert len(self.registrar.seen) == 1, answer.body
        return answer, self.registrar.seen.pop()


StartDesk = Callable[..., Awaitable[Desk]]


@pytest.fixture
def start_desk(listening: Callable[[ApiSite], Awaitable[int]]) -> StartDesk:
    async def start(public_url: str = "") -> Desk:
        registrar, written = Registrar(), list[bytes]()

        async def write(principal: Principal, *_: Any, **options: Any) -> None:
            body = next(each for each in (*_, *options.values()) if hasattr(each, "read"))
            content = b""
            while piece := await body.read():
                content += piece
            written.append(content)
            # What was read is all that is wanted of it.
            raise Forbidden("enough")

        engine: Any = MadeUpEngine(files=Noun(create=write, write=write))
        ways = SignInWays(signatures=registrar, public_url=public_url)
        site = make_site(reactor, engine, AnybodyIsAnna(), [], HttpConfig(), sign_ins=ways)
        return Desk(registrar, Client(await listening(site)), written)

    return start


@pytest_twisted.async_fixture
async def desk(start_desk: StartDesk) -> Desk:
    return await start_desk()


@ensureDeferred
async def test_the_address_is_that_of_the_client(desk: Desk) -> None:
    _, seen = await desk.signs("GET", "/api/trash?a=b%20c&%C3%A9")
    assert seen.url == f"http://127.0.0.1:{desk.client.port}/api/trash?a=b%20c&%C3%A9"
    assert seen.method == "GET"
    assert seen.authorization == 'OAuth oauth_nonce="n"'
    assert seen.is_confidential
    assert "nonce" not in repr(seen)


@ensureDeferred
async def test_the_operator_knows_better_by_which_address_we_are_found(
    start_desk: StartDesk,
) -> None:
    desk = await start_desk("https://cloud.example.org/files/")
    _, seen = await desk.signs("GET", "/api/trash?a=b")
    assert seen.url == "https://cloud.example.org/files/api/trash?a=b"


@ensureDeferred
async def test_a_body_is_signed_if_it_is_a_form(desk: Desk) -> None:
    _, seen = await desk.signs("POST", "/api/folder", body=b"a=b&c", headers=FORM)
    assert seen.form == "a=b&c"
    _, seen = await desk.signs("POST", "/api/folder", content={"name": "x"})
    assert seen.form == ""


@ensureDeferred
async def test_content_is_read_for_its_signature_only_if_it_is_a_form(desk: Desk) -> None:
    plain = {"Content-Type": "application/octet-stream"}
    _, seen = await desk.signs("POST", "/api/file?name=x", body=b"a=b", headers=plain)
    assert seen.form == ""
    _, seen = await desk.signs("POST", "/api/file?name=x", body=b"a=b", headers=FORM)
    assert seen.form == "a=b"
    assert desk.written == [b"a=b", b"a=b"]


@ensureDeferred
async def test_a_form_has_bounds(desk: Desk) -> None:
    headers = {"Authorization": "OAuth x", **FORM}
    for path in ("/api/file?name=x", "/api/folder"):
        too_much = b"a" * (FORM_BYTES + 1)
        answer = await desk.client.request("POST", path, body=too_much, headers=headers)
        assert answer.code == 413
        assert "octet-stream" in answer.json["description"]
        assert desk.registrar.seen == []


@ensureDeferred
async def test_what_signs_a_request_is_no_parameter_of_it(desk: Desk) -> None:
    path = "/api/file?name=x&oauth_consumer_key=k&oauth_nonce=n"
    await desk.client.request("POST", path, body=b"x")
    assert [seen.authorization for seen in desk.registrar.seen] == [""]
    assert desk.written == [b"x"]
    answer = await desk.client.request("POST", "/api/file?name=x&oauth_nonce=n", body=b"x")
    assert answer.code == 401


@pytest.mark.parametrize("scheme", ["OAuth", "oauth", "OAUTH"])
@ensureDeferred
async def test_the_scheme_is_known_whatever_its_case(desk: Desk, scheme: str) -> None:
    _, seen = await desk.signs("GET", "/api/trash", headers={"Authorization": f"{scheme} x"})
    assert seen.authorization == f"{scheme} x"


@ensureDeferred
async def test_what_is_not_ascii_can_not_have_been_signed(desk: Desk) -> None:
    headers = {"Authorization": 'OAuth oauth_nonce="ä"'}
    answer = await desk.client.request("GET", "/api/trash", headers=headers)
    assert (answer.code, answer.json["parameter"]) == (400, "Authorization")
    headers = {"Authorization": "OAuth x", **FORM}
    answer = await desk.client.request("POST", "/api/folder", body="ä".encode(), headers=headers)
    assert (answer.code, answer.json["parameter"]) == (400, "body")
