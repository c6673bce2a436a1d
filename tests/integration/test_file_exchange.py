"""Files go between clients that know nothing but HTTP and devices that sync over AMQP."""

from __future__ import annotations

import json
from random import Random

import pytest

from tests.integration.clients.answers import ITEM_FIELDS, Item, Refused
from tests.integration.clients.desktop_chunks import cut, described, joined
from tests.integration.clients.file_client import FileClient, chunk_path
from tests.integration.clients.items import changed, deleted, moved, new_file, new_folder, renamed
from tests.integration.conftest import Devices
from tests.integration.surroundings.ledger import Ledger
from tests.servers.stacksync import KnownUser, StackSyncProcess

MIB = 1024**2


def film(seed: int, size: int) -> bytes:
    """Content that can be compressed in part."""
    noise = Random(seed).randbytes(size // 2)
    return noise + (b"the same again %d " % seed * (size // 16))[: size - len(noise)]


def as_told_to_devices(metadata: Item) -> Item:
    """What a device is told of an item that a file client has the metadata of."""
    return {name: metadata.get(name) for name in ITEM_FIELDS}


def test_a_device_puts_together_what_a_file_client_uploaded(
    user: KnownUser, devices: Devices, files: FileClient
) -> None:
    laptop, phone = devices.laptop(user), devices.phone(user)
    content = film(1, 3 * MIB + 1)

    made = files.upload("holiday.bin", content)

    for device in (laptop, phone):
        told = device.next_notification()
        assert told.revision == 1
        assert told.answer.item == as_told_to_devices(made)
        assert device.changes(since=0) == [told.answer.item]
    item = laptop.changes(since=0)[0]
    assert len(item["chunks"]) > 1
    assert item | described(content, item["chunks"]) == item
    assert joined(files.chunk(laptop.workspace, name) for name in item["chunks"]) == content


@pytest.mark.parametrize("size", [100_000, 512 * 1024, 3_000_000])
def test_a_file_client_downloads_what_a_device_cut(
    size: int, user: KnownUser, devices: Devices, files: FileClient
) -> None:
    laptop, phone = devices.laptop(user), devices.phone(user)
    content = film(size, 2 * MIB + 11)
    objects = cut(content, 4711, size)

    for expected in (201, 200):  # who sends it again is told that it is there
        codes = {files.put_chunk(laptop.workspace, *each) for each in objects.items()}
        assert codes == {expected}
    item = laptop.commit(new_file("scan.tif", **described(content, objects))).item

    assert as_told_to_devices(phone.next_notification().answer.item) == item
    assert as_told_to_devices(files.metadata(item)) == item
    assert files.download(item) == content
    middle = min(size, len(content) - 1)
    for start, last in [(0, 0), (0, middle), (middle - 1, middle), (77, len(content) - 2)]:
        assert files.download(item, f"{start}-{last}") == content[start : last + 1]
    assert files.download(item, "-100") == content[-100:]


def test_a_device_goes_on_with_chunks_that_the_server_made(
    user: KnownUser, devices: Devices, files: FileClient
) -> None:
    laptop = devices.laptop(user)
    content, appendix = film(2, 2 * MIB), b"and one more line\n"
    files.upload("log.txt", content)
    item = laptop.next_notification().answer.item
    more = cut(appendix, item["id"])
    assert files.put_chunk(laptop.workspace, *more.popitem()) == 201

    names = [*item["chunks"], *cut(appendix, item["id"])]
    longer = laptop.commit(changed(item, **described(content + appendix, names))).item

    assert files.download(longer) == content + appendix
    assert files.download(longer, f"{len(content) - 3}-") == content[-3:] + appendix
    assert files.download(longer, version=1) == content


def test_a_file_that_a_device_made_is_overwritten_over_http(
    user: KnownUser, devices: Devices, files: FileClient
) -> None:
    laptop = devices.laptop(user)
    content = film(3, MIB)
    objects = cut(content, 1)
    for each in objects.items():
        files.put_chunk(laptop.workspace, *each)
    item = laptop.commit(new_file("draft", **described(content, objects))).item
    laptop.next_notification()

    files.overwrite(item, b"rewritten", If_Match='"1"')

    told = laptop.next_notification().answer.item
    assert (told["id"], told["version"], told["status"]) == (item["id"], 2, "CHANGED")
    assert joined(files.chunk(laptop.workspace, name) for name in told["chunks"]) == b"rewritten"
    assert files.download(item, version=1) == content


def test_an_upload_is_told_as_that_of_the_device_which_it_names(
    user: KnownUser, devices: Devices, files: FileClient
) -> None:
    laptop, phone = devices.laptop(user), devices.phone(user)

    files.ask("POST", "/file?name=a", data=b"a", headers={"StackSync-Device": phone.id})
    laptop.next_notification()
    (told,) = json.loads(laptop.last_received)["params"][0]["items"]
    assert told["metadata"]["deviceId"] == phone.id

    files.upload("b", b"b")
    laptop.next_notification()
    (told,) = json.loads(laptop.last_received)["params"][0]["items"]
    assert told["metadata"]["deviceId"] not in {phone.id, laptop.id}


def test_whatever_happens_to_a_file_over_http_is_told_to_devices_at_once(
    user: KnownUser, devices: Devices, files: FileClient
) -> None:
    laptop, phone = devices.laptop(user), devices.phone(user)
    folder = files.make_folder("Заметки")
    file = files.upload("list.txt", b"milk")
    steps = [
        (files.relocate, {"name": "shopping list.txt"}, "RENAMED"),
        (files.relocate, {"parent": folder["id"]}, "MOVED"),
        (files.relocate, {"name": "list.txt", "parent": 0}, "MOVED"),
        (files.delete, {}, "DELETED"),
        (files.restore, {"name": "kept.txt"}, "CHANGED"),
    ]
    for device in (laptop, phone):
        for expected in (folder, file):
            item = device.next_notification().answer.item
            assert item["id"] == expected["id"]

    for revision, (act, arguments, status) in enumerate(steps, 3):
        answer = act(file, **arguments)
        assert answer["status"] == status
        for device in (laptop, phone):
            told = device.next_notification()
            assert told.revision == revision
            assert told.answer.item == as_told_to_devices(answer)
            assert device.changes(since=revision - 1) == [told.answer.item]
    assert files.download(file) == b"milk"


def test_whatever_happens_to_a_file_over_amqp_is_seen_over_http(
    user: KnownUser, devices: Devices, files: FileClient
) -> None:
    laptop = devices.laptop(user)
    folder = laptop.commit(new_folder("letters")).item
    made = files.upload("letter", b"Dear all")
    item = laptop.changes(since=1)[0]

    item = laptop.commit(renamed(item, "letter.txt")).item
    assert files.names() == ["letter.txt", "letters"]
    item = laptop.commit(moved(item, folder["id"])).item
    assert files.names(folder) == ["letter.txt"]
    laptop.commit(deleted(folder))

    assert files.names() == []
    assert [item["filename"] for item in files.trash()] == ["letters"]
    with pytest.raises(Refused, match=r"409: .*in the trash"):
        files.download(made)
    files.restore(folder)
    assert files.download(made) == b"Dear all"
    restored = {item["filename"]: item["status"] for item in laptop.changes(since=5)}
    assert set(restored) == {"letters", "letter.txt"}
    assert "DELETED" not in restored.values()


def test_a_chunk_that_is_not_what_its_name_says_is_not_taken(
    user: KnownUser, devices: Devices, files: FileClient
) -> None:
    workspace = devices.laptop(user).workspace
    (name,) = cut(b"what was meant", 1)
    (other,) = cut(b"what was sent", 1).values()

    answer = files.send("PUT", chunk_path(workspace, name), data=other)

    assert answer.status_code == 400
    assert name in answer.json()["description"]
    assert files.send("HEAD", chunk_path(workspace, name)).status_code == 404


def test_in_an_encrypted_workspace_chunks_go_as_they_are_and_files_are_refused(
    server: StackSyncProcess, user: KnownUser, devices: Devices, files: FileClient
) -> None:
    laptop, phone = devices.laptop(user), devices.phone(user)
    ledger = Ledger(server.database_url)
    ledger.execute("UPDATE workspace SET is_encrypted = true WHERE id = %s", laptop.workspace)
    name, secret = f"chk-{'A' * 40}-7", Random(4).randbytes(100_000)

    assert files.put_chunk(laptop.workspace, name, secret) == 201
    item = laptop.commit(new_file("diary", size=99_000, chunks=[name])).item

    assert phone.next_notification().answer.item == item
    assert files.chunk(laptop.workspace, name) == secret
    assert as_told_to_devices(files.metadata(item)) == item
    refusals = [
        ("GET", f"/file/{item['id']}/data"),
        ("GET", f"/file/{item['id']}/version/1/data"),
        ("PUT", f"/file/{item['id']}/data"),
        ("POST", "/file?name=plain.txt"),
    ]
    for method, path in refusals:
        answer = files.send(method, path, data=b"plain" if method != "GET" else None)
        assert answer.status_code == 409, f"{method} {path}"
        assert f"workspace {laptop.workspace} is encrypted" in answer.json()["description"]
    assert files.names() == ["diary"]
    assert files.relocate(item, name="journal")["status"] == "RENAMED"
