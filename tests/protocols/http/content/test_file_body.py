"""What a file's content may come as, and what is refused before it is sent."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from stacksync.config import HttpConfig
from stacksync.errors import IncompleteBody
from tests.db.conftest import psql
from tests.db.observation import Psql
from tests.protocols.http.client import Conversation, Patience, eventually
from tests.protocols.http.conftest import StartSite, User, path_of
from tests.protocols.http.engines import MadeUpEngine, Noun

__all__ = ["psql"]

LARGEST = 100_000


@pytest.fixture
def settings() -> HttpConfig:
    return HttpConfig(max_file=LARGEST)


async def asking(user: User, method: str, path: str, *lines: str) -> Conversation:
    """A connection with the head of a request on it."""
    connection = await user.client.raw()
    head = [f"{method} {path} HTTP/1.1", "Host: x", *lines]
    connection.send("\r\n".join(head) + f"\r\n{user.client.authorization_line}\r\n")
    return connection


async def refused(user: User, method: str, path: str, *lines: str) -> bytes:
    """The first line that comes where the body waits for 100-continue."""
    connection = await asking(user, method, path, "Expect: 100-continue", *lines)
    return (await connection.until(b"\r\n")).strip()


@ensureDeferred
async def test_who_may_go_on_is_told_so_and_answered(anna: User) -> None:
    connection = await asking(
        *(anna, "POST", "/api/file?name=polite", "Content-Length: 5", "Expect: 100-continue")
    )

    assert await connection.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.send(b"hello")
    assert b"HTTP/1.1 201 Created" in await connection.until(b"\r\n\r\n")


@ensureDeferred
async def test_a_new_file_that_cannot_be_is_refused_before_its_body(anna: User) -> None:
    await anna.upload("taken")
    new, length = "/api/file?name=new", "Content-Length: 50000"

    lines = [
        await refused(anna, "POST", "/api/file?name=taken", length),
        await refused(anna, "POST", f"{new}&parent=987654321", length),
        await refused(anna, "POST", f"{new}&parent=x", length),
        await refused(anna, "POST", new, "Content-Length: 100001"),
        await refused(anna, "POST", new, length, "Content-Encoding: gzip"),
        await refused(anna, "POST", new, length, "Content-Type: multipart/form-data; boundary=x"),
        await refused(anna, "POST", new, length, 'If-Match: "1"'),
        await refused(anna, "POST", new, length, "StackSync-Device: mine"),
        await refused(anna, "POST", "/api/file", length),
    ]

    assert [int(line.split()[1]) for line in lines] == [409, 404, 400, 413, 415, 415, 412, 400, 400]


@ensureDeferred
async def test_new_content_that_cannot_be_is_refused_before_it_is_sent(
    anna: User, bert: User
) -> None:
    file, folder = await anna.upload("file"), await anna.folder("folder")
    deleted = await anna.upload("deleted")
    await anna.delete(deleted)
    path, length = f"{path_of(file)}/data", "Content-Length: 50000"

    lines = [
        await refused(anna, "PUT", path, length, 'If-Match: "2"'),
        await refused(anna, "PUT", path, length, 'If-Match: "2", "3"'),
        await refused(anna, "PUT", path, length, "If-None-Match: *"),
        await refused(bert, "PUT", path, length),
        await refused(anna, "PUT", f"/api/file/{folder['id']}/data", length),
        await refused(anna, "PUT", f"{path_of(deleted)}/data", length),
        await refused(anna, "PUT", path, "Content-Length: 100001"),
        await refused(anna, "PUT", f"{path}?name=x", length),
    ]

    assert [int(line.split()[1]) for line in lines] == [412, 412, 412, 404, 404, 409, 413, 400]
    assert (await anna.client.get(path_of(file))).json == file


@ensureDeferred
async def test_what_the_quota_does_not_allow_is_refused_before_it_is_sent(
    anna: User, psql: Psql
) -> None:
    file = await anna.upload("file", b"x" * 10)
    psql.rows("UPDATE account SET quota_limit = 30 WHERE id = %s", str(anna.account.id))

    new = await refused(anna, "POST", "/api/file?name=new", "Content-Length: 21")
    more = await refused(anna, "PUT", f"{path_of(file)}/data", "Content-Length: 31")
    fits = await refused(anna, "POST", "/api/file?name=new", "Content-Length: 20")

    assert (new.split()[1], more.split()[1], fits.split()[1]) == (b"413", b"413", b"100")


@ensureDeferred
async def test_an_encrypted_workspace_takes_no_content_from_here_and_gives_none(
    anna: User, psql: Psql
) -> None:
    file = await anna.upload("file", b"plain")
    psql.rows("UPDATE workspace SET is_encrypted = true WHERE id = %s", str(anna.workspace.id))
    path = f"{path_of(file)}/data"

    lines = [
        await refused(anna, "POST", "/api/file?name=new", "Content-Length: 5"),
        await refused(anna, "PUT", path, "Content-Length: 5"),
    ]
    reads = [await anna.client.get(each) for each in (path, f"{path_of(file)}/version/1/data")]

    assert [int(line.split()[1]) for line in lines] == [409, 409]
    assert [answer.code for answer in reads] == [409, 409]
    assert "encrypted" in reads[0].json["description"]


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@ensureDeferred
async def test_a_body_must_say_where_it_ends(anna: User, version: str) -> None:
    connection = await anna.client.raw()
    connection.send(
        f"POST /api/file?name=x HTTP/{version}\r\nHost: x\r\nConnection: close\r\n"
        f"{anna.client.authorization_line}\r\n"
    )

    answer = await connection.until_closed()

    assert answer.splitlines()[0].split()[1] == b"411"
    assert b"Content-Length" in answer.partition(b"\r\n\r\n")[2]


@ensureDeferred
async def test_a_chunked_body_may_not_be_larger_than_a_file(anna: User) -> None:
    connection = await asking(anna, "POST", "/api/file?name=x", "Transfer-Encoding: chunked")
    for _ in range(11):
        connection.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
    connection.send(b"0\r\n\r\n")

    head = await connection.until(b"\r\n\r\n")

    assert b" 413 " in head.splitlines()[0]
    assert (await anna.client.get("/api/folder/0/contents")).json["contents"] == []


@ensureDeferred
async def test_a_form_is_refused_with_what_to_do_instead(anna: User) -> None:
    answer = await anna.client.send(
        "POST", "/api/file?name=x", b"--x--", Content_Type="multipart/form-data; boundary=x"
    )

    assert answer.code == 415
    assert "--upload-file" in answer.json["description"]


@ensureDeferred
async def test_of_an_upload_that_breaks_off_nothing_is_seen(anna: User) -> None:
    file = await anna.upload("kept", b"whole")
    new = await asking(anna, "POST", "/api/file?name=torn", "Content-Length: 90000")
    changed = await asking(anna, "PUT", f"{path_of(file)}/data", "Content-Length: 90000")
    for connection in (new, changed):
        connection.send(b"x" * 50_000)
    for connection in (new, changed):
        connection.hang_up()
        await eventually(lambda connection=connection: connection.closed)

    contents = (await anna.client.get("/api/folder/0/contents")).json["contents"]

    assert contents == [file]
    assert (await anna.client.get(f"{path_of(file)}/data")).body == b"whole"


@ensureDeferred
async def test_work_that_goes_on_after_its_answer_does_not_wait_for_the_body(
    start_site: StartSite,
) -> None:
    patience, clock, ended = Patience(), Clock(), []

    async def create(*arguments: Any, **_: Any) -> None:
        await patience.wait()
        try:
            while await arguments[3].read():
                pass
        except IncompleteBody as error:
            ended.append(error)
            raise

    engine = MadeUpEngine(files=Noun(create=create))
    _, client = await start_site(engine, clock=clock, request_timeout=60, max_file=0)
    connection = await client.raw()
    connection.send(
        "POST /api/file?name=x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
        f"{client.authorization_line}\r\n"
    )
    connection.send(b"x" * 500_000)
    await eventually(lambda: patience.waiting)
    clock.advance(61)
    assert b" 503 " in await connection.until(b"}")

    patience.go_on()

    assert ended
