"""The management API as the service uses it, played by a server that writes down what it is asked.

The real one is in ``tests/integration/test_broker_asks.py``.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet import reactor
from twisted.web import http, server
from twisted.web.resource import Resource

from stacksync.errors import Unavailable
from stacksync.rabbitmq import Management


@define(eq=False)
class Api(Resource):
    """Answers with a status, and with pages of queues."""

    status: int = 204
    pages: list[list[dict[str, Any]]] = field(factory=list)
    asked: list[tuple[str, str]] = field(factory=list)
    headers: list[dict[str, str]] = field(factory=list)
    isLeaf = True

    def __attrs_post_init__(self) -> None:
        super().__init__()

    def render(self, request: http.Request) -> bytes:
        self.asked.append((request.method.decode(), request.uri.decode()))
        self.headers.append(
            {
                name: request.getHeader(name) or ""
                for name in ("Authorization", "X-Reason", "Content-Type")
            }
        )
        if request.method == b"GET":
            page = int(request.args[b"page"][0])
            told = {"items": self.pages[page - 1], "page_count": len(self.pages)}
            return json.dumps(told).encode()
        request.setResponseCode(self.status)
        return b""


@pytest.fixture
def api() -> Api:
    return Api()


@pytest_twisted.async_yield_fixture
async def management(api: Api) -> AsyncIterator[Management]:
    tcp: Any = reactor
    port = tcp.listenTCP(0, server.Site(api), interface="127.0.0.1")
    url = f"http://us%40home:p%3Ass@127.0.0.1:{port.getHost().port}"
    made = Management(reactor, url, "/")
    yield made
    await made.stop()
    await port.stopListening()


@pytest.mark.parametrize("status", [204, 200, 404])
@pytest_twisted.ensureDeferred
async def test_connections_are_closed_if_there_are_any(
    status: int, api: Api, management: Management
) -> None:
    api.status = status

    await management.close("anna/../x@example.org", "because")

    assert api.asked == [("DELETE", "/api/connections/username/anna%2F..%2Fx%40example.org")]
    # base64 of "us@home:p:ss".
    assert api.headers[0]["Authorization"] == "Basic dXNAaG9tZTpwOnNz"
    assert api.headers[0]["X-Reason"] == "because"


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "right user and password"), (403, "tag administrator"), (500, "")]
)
@pytest_twisted.ensureDeferred
async def test_a_refusal_says_what_and_where(
    status: int, hint: str, api: Api, management: Management
) -> None:
    api.status = status

    with pytest.raises(Unavailable, match=f"answered {status}.*{hint}") as refused:
        await management.close("anna", "because")

    assert "DELETE http://127.0.0.1:" in str(refused.value)
    assert "p:ss" not in str(refused.value)


@pytest_twisted.ensureDeferred
async def test_lasting_queues_are_removed_by_what_is_in_their_names(
    api: Api, management: Management
) -> None:
    api.pages = [
        [{"name": "a ID-1", "exclusive": False}, {"name": "x", "exclusive": False}],
        [{"name": "b id-2"}, {"name": "c id-1", "exclusive": True}],
    ]

    await management.remove_queues(["id-1", "ID-2"])

    assert [uri for method, uri in api.asked if method == "DELETE"] == [
        "/api/queues/%2F/a%20ID-1",
        "/api/queues/%2F/b%20id-2",
    ]


@pytest_twisted.ensureDeferred
async def test_a_policy_is_set(api: Api, management: Management) -> None:
    await management.set_operator_policy("clients", {"pattern": "^x"})

    assert api.asked == [("PUT", "/api/operator-policies/%2F/clients")]
    assert api.headers[0]["Content-Type"] == "application/json"


@pytest_twisted.ensureDeferred
async def test_a_broker_that_is_away_is_named() -> None:
    management = Management(reactor, "http://user:hidden@127.0.0.1:9", "/")

    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9") as away:
        await management.close("anna", "because")

    assert "hidden" not in str(away.value)
