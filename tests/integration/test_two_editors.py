"""Those who write at the same time do not overwrite each other unseen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from random import Random
from typing import Protocol

import pytest

from tests.integration.clients.answers import Refused
from tests.integration.clients.file_client import FileClient
from tests.integration.clients.hand_sent import HandAnswer, HandSentRequest
from tests.integration.clients.items import changed
from tests.integration.clients.unread import UnreadAnswer
from tests.integration.conftest import Devices
from tests.integration.surroundings.threads import at_once
from tests.servers.stacksync import KnownUser, StackSyncProcess


class Begin(Protocol):
    """Begins a write of as many bytes; the server has checked what it can, and asks for them."""

    def __call__(self, method: str, path: str, length: int, **headers: str) -> HandSentRequest: ...


@pytest.fixture
def begin(server: StackSyncProcess, user: KnownUser) -> Iterator[Begin]:
    with ExitStack() as connections:

        def begin(method: str, path: str, length: int, **headers: str) -> HandSentRequest:
            headers |= {"Content_Length": str(length), "Expect": "100-continue"}
            request = HandSentRequest(server.http_url, user, method, path, **headers)
            connections.callback(request.close)
            assert request.answer().code == 100
            return request

        yield begin


def test_the_second_of_two_editors_is_told_what_the_first_has_made(files: FileClient) -> None:
    file = files.upload("chapter", b"as both have read it")
    tag = files.send("GET", f"/file/{file['id']}/data").headers["ETag"]

    first = files.overwrite(file, b"by the first", If_Match=tag)
    answer = files.send(
        "PUT", f"/file/{file['id']}/data", data=b"by the second", headers={"If-Match": tag}
    )

    assert answer.status_code == 412
    assert answer.json()["metadata"] == first
    assert files.download(file) == b"by the first"
    assert files.overwrite(file, b"by both", If_Match='"2"')["version"] == 3


def test_an_editor_who_is_overtaken_while_sending_is_refused_in_the_end(
    files: FileClient, begin: Begin
) -> None:
    file = files.upload("chapter", b"as both have read it")
    slow = begin("PUT", f"/file/{file['id']}/data", 7, If_Match='"1"')
    slow.send(b"by ")

    files.overwrite(file, b"by the quick one", If_Match='"1"')
    slow.send(b"slow")

    answer = slow.answer()
    assert answer.code == 412
    assert answer.told["metadata"]["version"] == 2
    assert files.download(file) == b"by the quick one"
    assert len(files.versions(file)) == 2


def test_an_editor_without_a_condition_writes_upon_the_newest_version(
    files: FileClient, begin: Begin
) -> None:
    file = files.upload("notes", b"1")
    slow = begin("PUT", f"/file/{file['id']}/data", 1)

    files.overwrite(file, b"2")
    files.relocate(file, name="my notes")
    slow.send(b"3")

    told = slow.answer().told
    assert (told["version"], told["filename"]) == (4, "my notes")
    assert [files.download(file, version=number) for number in (1, 2, 4)] == [b"1", b"2", b"3"]


def test_a_device_that_is_overtaken_over_http_is_told(
    user: KnownUser, devices: Devices, files: FileClient
) -> None:
    laptop = devices.laptop(user)
    file = files.upload("list", b"milk")
    seen = laptop.next_notification().answer.item
    files.overwrite(file, b"milk, bread")

    answer = laptop.commit(changed(seen))

    assert answer.reasons == ["stale"]
    assert answer.outcomes[0].item["version"] == 2
    assert files.download(file) == b"milk, bread"


def test_a_reader_gets_the_version_that_was_there_whatever_happens_meanwhile(
    server: StackSyncProcess, user: KnownUser, files: FileClient
) -> None:
    content = Random(1).randbytes(16 * 1024**2)
    file = files.upload("film", content)
    with closing(UnreadAnswer(server, user, f"/file/{file['id']}/data")) as answer:
        head, _, received = answer.read().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK")

        files.overwrite(file, b"another film")
        files.delete(file)

        while len(received) < len(content) and (piece := answer.read()):
            received += piece
        assert received == content


def test_of_two_uploads_of_the_same_name_one_is_made(files: FileClient, begin: Begin) -> None:
    contents = (b"sunrise!", b"sunset! ")
    uploads = {content: begin("POST", "/file?name=photo", 8) for content in contents}

    def finished(content: bytes) -> HandAnswer:
        uploads[content].send(content)
        return uploads[content].answer()

    answers = dict(
        zip(contents, at_once(*(partial(finished, each) for each in contents)), strict=True)
    )

    assert sorted(answer.code for answer in answers.values()) == [201, 409]
    (made,) = files.contents()
    (winner,) = [content for content, answer in answers.items() if answer.code == 201]
    (refused,) = [answer for answer in answers.values() if answer.code == 409]
    assert files.download(made) == winner
    assert refused.told["metadata"]["id"] == made["id"]
    assert "'photo'" in refused.told["description"]


def test_a_file_whose_folder_goes_while_it_is_sent_is_not_made(
    files: FileClient, begin: Begin
) -> None:
    folder = files.make_folder("doomed")
    upload = begin("POST", f"/file?name=late&parent={folder['id']}", 1)

    files.delete(folder)
    upload.send(b"x")

    assert upload.answer().code == 404
    assert files.names() == []
    assert files.quota_used() == 0


@pytest.mark.parametrize(
    ("method", "way", "body"),
    [
        ("PUT", "", {"name": "other"}),
        ("DELETE", "", None),
        ("POST", "/version/1", None),
    ],
)
def test_every_write_can_be_made_on_a_condition(
    method: str, way: str, body: dict[str, str] | None, files: FileClient
) -> None:
    file = files.upload("contract", b"signed")
    files.overwrite(file, b"amended")

    with pytest.raises(Refused, match="412: "):
        files.ask(method, f"/file/{file['id']}{way}", json=body, headers={"If-Match": '"1"'})
    assert files.metadata(file)["version"] == 2
    answer = files.send(method, f"/file/{file['id']}{way}", json=body, headers={"If-Match": '"2"'})
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"3"'
