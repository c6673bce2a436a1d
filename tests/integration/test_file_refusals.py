"""An upload that cannot succeed is refused before it begins, and nobody gets at others' files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.integration.clients.answers import Item, Refused
from tests.integration.clients.desktop_chunks import cut
from tests.integration.clients.file_client import FileClient, chunk_path
from tests.integration.clients.hand_sent import HandAnswer, HandSentRequest
from tests.integration.conftest import Devices
from tests.integration.surroundings.people import People
from tests.servers.stacksync import KnownUser, StackSyncProcess

MIB = 1024**2
QUOTA = 1_000_000
WAITING = {"Expect": "100-continue"}


@pytest.fixture
def user(people: People) -> KnownUser:
    """A user who may keep a million bytes."""
    return people.add(quota=QUOTA)


@pytest.fixture
def first_answer(server: StackSyncProcess, user: KnownUser) -> Callable[..., HandAnswer]:
    """What a client hears that sends no byte of the body before it is asked to."""

    def ask(method: str, path: str, length: int, **headers: str) -> HandAnswer:
        length_told = {"Content_Length": str(length), **WAITING, **headers}
        request = HandSentRequest(server.http_url, user, method, path, **length_told)
        with closing(request):
            return request.answer()

    return ask


def test_an_upload_that_may_succeed_is_asked_for(
    first_answer: Callable[..., HandAnswer], files: FileClient
) -> None:
    file = files.upload("there", b"x")

    assert first_answer("POST", "/file?name=new", QUOTA - 1).code == 100
    assert first_answer("PUT", f"/file/{file['id']}/data", QUOTA, If_Match='"1"').code == 100


def test_an_upload_that_cannot_succeed_is_refused_before_its_body(
    first_answer: Callable[..., HandAnswer], files: FileClient
) -> None:
    folder = files.make_folder("folder")
    file = files.upload("taken", b"x")
    gone = files.upload("gone", b"x")
    files.delete(gone)
    cases: list[tuple[int, str, str, int]] = [
        (413, "POST", "/file?name=large", QUOTA),
        (404, "POST", "/file?name=lost&parent=4711", 10),
        (404, "POST", f"/file?name=below+a+file&parent={file['id']}", 10),
        (409, "POST", "/file?name=taken", 10),
        (409, "POST", "/file?name=folder", 10),
        (400, "POST", "/file?name=..", 10),
        (400, "POST", "/file", 10),
        (413, "PUT", f"/file/{file['id']}/data", QUOTA + 1),
        (404, "PUT", f"/file/{folder['id']}/data", 10),
        (404, "PUT", "/file/4711/data", 10),
        (409, "PUT", f"/file/{gone['id']}/data", 10),
    ]
    for code, method, path, length in cases:
        answer = first_answer(method, path, length)
        assert answer.code == code, f"{method} {path}: {answer.body!r}"
        assert answer.told["error"] == code
        assert answer.told["description"]
    stale = first_answer("PUT", f"/file/{file['id']}/data", 10, If_Match='"7"')
    assert stale.code == 412
    assert stale.told["metadata"]["version"] == 1
    assert files.names() == ["folder", "taken"]


def test_somebody_who_has_not_signed_in_is_not_asked_for_a_body(
    server: StackSyncProcess, user: KnownUser
) -> None:
    stranger = KnownUser(user.id, user.email, "wrong")
    headers = {"Content_Length": "10", **WAITING}
    request = HandSentRequest(server.http_url, stranger, "POST", "/file?name=x", **headers)
    with closing(request):
        assert request.answer().code == 401


def test_a_quota_can_be_filled_to_its_last_byte(files: FileClient) -> None:
    file = files.upload("all", bytes(QUOTA))
    assert files.quota_used() == QUOTA

    for content in (b"x", iter([b"x"])):
        with pytest.raises(Refused, match=f"413: .*quota of {QUOTA} bytes"):
            files.upload("one more", content)
    assert files.upload("nothing", b"")["size"] == 0
    with pytest.raises(Refused, match=r"413: .*quota"):
        files.overwrite(file, bytes(QUOTA + 1))
    assert files.overwrite(file, bytes(reversed(range(256))) * 3906)["version"] == 2
    assert files.quota_used() == 256 * 3906
    files.delete(file)
    assert files.quota_used() == 0


def test_two_uploads_that_fit_one_by_one_do_not_fill_a_quota_twice(
    server: StackSyncProcess, user: KnownUser, files: FileClient
) -> None:
    size = QUOTA * 6 // 10
    headers = {"Content_Length": str(size), **WAITING}
    with ExitStack() as connections:
        uploads = [
            HandSentRequest(server.http_url, user, "POST", f"/file?name={name}", **headers)
            for name in ("one", "two")
        ]
        for upload in uploads:
            connections.callback(upload.close)
            assert upload.answer().code == 100
        codes = []
        for upload in uploads:
            upload.send(bytes(size))
            codes.append(upload.answer().code)

    assert codes == [201, 413]
    assert files.names() == ["one"]
    assert files.quota_used() == size


def test_a_body_of_unknown_length_is_stopped_where_the_quota_ends(
    server: StackSyncProcess, user: KnownUser, files: FileClient
) -> None:
    headers = {"Transfer_Encoding": "chunked"}
    request = HandSentRequest(server.http_url, user, "POST", "/file?name=endless", **headers)
    sent = 0
    with closing(request):
        while not request.is_answered and sent < 100 * MIB:
            request.send_chunk(bytes(64 * 1024))
            sent += 64 * 1024
        answer = request.answer()

    assert answer.code == 413
    assert f"quota of {QUOTA} bytes" in answer.told["description"]
    # What the buffers of the system, of the server and of its writer take beyond the quota.
    assert sent < QUOTA + 16 * MIB
    assert files.names() == []


def test_nobody_writes_in_the_name_of_a_device_that_is_not_theirs(
    people: People,
    devices: Devices,
    files: FileClient,
    first_answer: Callable[..., HandAnswer],
) -> None:
    foreign = devices.laptop(people.add()).id

    for device in (foreign, "00000000-0000-4000-8000-000000000000"):
        answer = first_answer("POST", "/file?name=x", 1, StackSync_Device=device)
        assert answer.code == 404
        assert answer.told["description"] == f"no such device: {device}"
    assert files.names() == []


@pytest.fixture
def other_files(server: StackSyncProcess, people: People) -> Iterator[FileClient]:
    """The files of somebody else."""
    with closing(FileClient(server.http_url, people.add())) as client:
        yield client


class Secret:
    """What somebody has, by all the ways to it."""

    def __init__(self, owner: FileClient, workspace: str) -> None:
        self.folder = owner.make_folder("private")
        self.file = owner.upload("secret", b"the content", self.folder["id"])
        self.deleted = owner.upload("deleted", b"the content")
        owner.delete(self.deleted)
        (self.chunk,) = self.file["chunks"]
        tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "10", "Upload-Metadata": "filename c2U="}
        created = owner.send("POST", "/uploads", headers=tus)
        assert created.status_code == 201
        self.upload = created.headers["Location"].removeprefix("/api")
        self.workspace = workspace

    def requests(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        file, folder = f"/file/{self.file['id']}", f"/folder/{self.folder['id']}"
        deleted = f"/file/{self.deleted['id']}"
        chunk = chunk_path(self.workspace, self.chunk)
        tus = {"Tus-Resumable": "1.0.0"}
        piece = {**tus, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        rename: dict[str, Any] = {"json": {"name": "mine now"}}
        for path in (file, f"{file}/data", f"{file}/versions", f"{file}/version/1",
                     f"{file}/version/1/data", folder, f"{folder}/contents", deleted,
                     f"{deleted}/version/1/data", chunk):  # fmt: skip
            yield "GET", path, {}
        for path in (f"{file}/data", chunk):
            yield "HEAD", path, {}
        yield "PUT", file, rename
        yield "PUT", folder, rename
        yield "PUT", f"{file}/data", {"data": b"overwritten"}
        yield "PUT", chunk_path(self.workspace, *cut(b"new", 1)), {"data": b"x"}
        yield "POST", f"/file?name=intruder&parent={self.folder['id']}", {"data": b"x"}
        yield "POST", "/folder", {"json": {"name": "intruder", "parent": self.folder["id"]}}
        yield "POST", f"{file}/version/1", {}
        yield "POST", f"{deleted}/restore", {}
        yield "DELETE", file, {}
        yield "DELETE", folder, {}
        yield "HEAD", self.upload, {"headers": tus}
        yield "PATCH", self.upload, {"headers": piece, "data": b"0123456789"}
        yield "DELETE", self.upload, {"headers": tus}


def test_nobody_gets_at_somebody_elses_files(
    user: KnownUser, devices: Devices, files: FileClient, other_files: FileClient
) -> None:
    laptop = devices.laptop(user)
    secret = Secret(files, laptop.workspace)
    revision, before = laptop.revision, files.contents(secret.folder)

    for method, path, options in secret.requests():
        answer = other_files.send(method, path, **options)
        assert answer.status_code == 404, f"{method} {path}: {answer.text}"
        assert "secret" not in answer.text

    mine: Item = other_files.upload("mine", b"x")
    with pytest.raises(Refused, match="404: "):
        other_files.relocate(mine, parent=secret.folder["id"])
    assert [item["filename"] for item in other_files.contents()] == ["mine"]
    assert other_files.trash() == []
    assert (laptop.revision, files.contents(secret.folder)) == (revision, before)
    assert files.download(secret.file) == b"the content"
    upload = files.send("HEAD", secret.upload, headers={"Tus-Resumable": "1.0.0"})
    assert upload.headers["Upload-Offset"] == "0"
