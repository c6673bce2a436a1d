"""Whatever is sent to a resource or a method, somebody's mistake stays his own.

No answer says that the server has failed, its log has no sign of a bug (the
fleet looks for one at its end), and neither tells a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import PreparedRequest, Request

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.answers import Refused
from tests.integration.clients.odd_values import (
    ODD_HEADER_VALUES,
    ODD_SEGMENTS,
    ODD_VALUES,
    changed,
)
from tests.integration.permissions.methods import METHODS
from tests.integration.permissions.resources import RESOURCES
from tests.integration.permissions.stage import SharedFolder
from tests.integration.surroundings.people import People
from tests.servers.stacksync import StackSyncProcess

ENDLESS = {"GET /events"}
FINAL = {"PUT /account/password"}
"""After one that is taken nobody here could sign in any more; Schemathesis tries it elsewhere."""
FUZZED = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
HEADERS = (
    *("StackSync-Device", "StackSync-API", "Idempotency-Key", "Content-Type", "Content-MD5"),
    *("If-Match", "If-None-Match", "If-Range", "Range", "Expect", "Accept", "Origin", "Host"),
    *("Tus-Resumable", "Upload-Length", "Upload-Offset", "Upload-Metadata", "Upload-Checksum"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "X-HTTP-Method-Override", "Cookie"),
)
QUERY = ("name", "parent", "after", "limit", "since", "include_deleted", "workspace", "order")
FAILED = "internal error"


@pytest.fixture(scope="module")
def folder(server: StackSyncProcess, people: People) -> Iterator[SharedFolder]:
    with closing(SharedFolder(server, people)) as made:
        yield made


@pytest.fixture(scope="module")
def device(server: StackSyncProcess, folder: SharedFolder) -> Iterator[AmqpDevice]:
    with closing(AmqpDevice(server.amqp_url, folder.users["owner"])) as device:
        yield device


@pytest.mark.parametrize("method", METHODS)
def test_a_method_takes_anything(method: str, folder: SharedFolder, device: AmqpDevice) -> None:
    owner = folder.users["owner"]
    right = {"userId": str(owner.id), **METHODS[method][1](folder, owner)}
    items = right.get("items", [])

    @FUZZED
    @given(st.data())
    def fuzz(data: st.DataObject) -> None:
        fields = data.draw(changed(right))
        if items and data.draw(st.booleans()):
            fields["items"] = [data.draw(changed(items[0] | {"id": None, "tempId": 1}))]
        assert_told_well(outcome(device, method, fields))

    fuzz()


def outcome(device: AmqpDevice, method: str, fields: dict[str, Any]) -> Any:
    try:
        return device.call(method, **fields)
    except Refused as refused:
        return refused


def assert_told_well(told: Any) -> None:
    if isinstance(told, Refused):
        assert FAILED not in told.message, told.message
        assert len(told.message) < 5000


@pytest.mark.parametrize("call", sorted(RESOURCES.keys() - ENDLESS - FINAL))
def test_a_resource_takes_anything(
    call: str, folder: SharedFolder, server: StackSyncProcess
) -> None:
    owner = folder.users["owner"]
    method = call.split()[0]
    path, options = RESOURCES[call].make(folder, owner)
    right = Request(
        method, f"{server.http_url}/api{path}", auth=(owner.email, owner.password), **options
    ).prepare()
    where = urlsplit(server.http_url)

    with closing(HTTPConnection(str(where.hostname), where.port, timeout=30)) as connection:

        @FUZZED
        @given(st.data())
        def fuzz(data: st.DataObject) -> None:
            status, body = answer(connection, *odd(data, right, options.get("json")))
            assert status < 500, body
            assert owner.password.encode() not in body

        fuzz()


def odd(
    data: st.DataObject, right: PreparedRequest, told: Any
) -> tuple[str, str, dict[str, Any], bytes]:
    """Method, path with query, headers and body of a request that is partly wrong."""
    parts = urlsplit(str(right.url))
    segments = parts.path.split("/")
    if data.draw(st.booleans(), "another path"):
        place = data.draw(st.integers(2, len(segments) - 1))
        segments[place] = quoted(data.draw(ODD_SEGMENTS))
    query = data.draw(st.dictionaries(st.sampled_from(QUERY), ODD_SEGMENTS, max_size=2))
    asked = "&".join(
        f"{k}={quote(v.encode('utf-8', 'replace'), safe='')}" for k, v in query.items()
    )
    asked = "&".join(filter(None, [parts.query, asked]))
    headers: dict[str, Any] = dict(right.headers)
    headers |= data.draw(
        st.dictionaries(st.sampled_from(HEADERS), ODD_HEADER_VALUES, max_size=2), "headers"
    )
    body = right.body if isinstance(right.body, bytes) else (right.body or "").encode()
    if told is not None and data.draw(st.booleans(), "another document"):
        document = data.draw(changed(told) if isinstance(told, dict) else ODD_VALUES)
        body = Request("POST", "http://x/", json=document).prepare().body or b"null"
    elif data.draw(st.booleans(), "another body"):
        body = data.draw(st.binary(max_size=50))
    headers["Content-Length"] = str(len(body))
    return (
        str(right.method),
        "?".join(["/".join(segments), *filter(None, ["&".join(asked)])]),
        headers,
        body,
    )


def quoted(text: str) -> str:
    return quote(text.encode("utf-8", "replace"), safe="")


def answer(
    connection: HTTPConnection, method: str, path: str, headers: dict[str, Any], body: bytes
) -> tuple[int, bytes]:
    connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    try:
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        # Who asks wrongly may be hung up on, and what follows is another request.
        connection.close()
