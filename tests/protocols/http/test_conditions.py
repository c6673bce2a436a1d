"""Entity tags: no writer overwrites what they have not seen, no reader is sent what they have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred
from twisted.web.http_headers import Headers

from stacksync.errors import InvalidRequest
from stacksync.protocols.http.conditions import Tags, read_tags
from tests.protocols.http.conftest import User, path_of


class Told:
    """A request with one header."""

    def __init__(self, *values: bytes) -> None:
        self.requestHeaders = Headers({b"If-Match": list(values)})


@pytest.mark.parametrize(
    ("values", "tags"),
    [
        ((b"*",), Tags(anything=True)),
        ((b" * ",), Tags(anything=True)),
        ((b'"3"',), Tags(strong=(b'"3"',))),
        ((b'W/"3"',), Tags(weak=(b'"3"',))),
        ((b'"3", W/"4" ,"5"',), Tags(strong=(b'"3"', b'"5"'), weak=(b'"4"',))),
        ((b'"3"', b'"4"'), Tags(strong=(b'"3"', b'"4"'))),
        ((b',, "3",,',), Tags(strong=(b'"3"',))),
        ((b'"a,b"',), Tags(strong=(b'"a,b"',))),
        ((b'""',), Tags(strong=(b'""',))),
    ],
)
def test_tags_are_read_as_the_standard_writes_them(values: tuple[bytes, ...], tags: Tags) -> None:
    assert read_tags(Told(*values), b"If-Match") == tags


@pytest.mark.parametrize(
    "value",
    [b"3", b'"3', b"", b",", b'"3" "4"', b'w/"3"', b'"3", *', b"'3'", b'"a b"', b'"3"x', b'*, "3"'],
)
def test_what_is_no_tag_is_refused_by_the_name_of_the_header(value: bytes) -> None:
    with pytest.raises(InvalidRequest, match="If-Match: must be"):
        read_tags(Told(value), b"If-Match")


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=8)), min_size=1, max_size=8))
def test_any_list_of_tags_is_read_back(tags: list[tuple[bool, bytes]]) -> None:
    quoted = [
        (weak, b'"%b"' % bytes(byte for byte in tag if byte > 0x22 and byte != 0x7F))
        for weak, tag in tags
    ]

    told = read_tags(Told(b" , ".join(b"W/" * weak + tag for weak, tag in quoted)), b"If-Match")

    assert told == Tags(
        strong=tuple(tag for weak, tag in quoted if not weak),
        weak=tuple(tag for weak, tag in quoted if weak),
    )


WRITES = [
    ("PUT", "", {"name": "renamed"}),
    ("DELETE", "", None),
    ("PUT", "/data", b"new"),
    ("POST", "/version/1", None),
]


async def write(
    user: User, path: str, method: str, more: str, content: Any, headers: dict[str, str]
) -> Any:
    if isinstance(content, bytes):
        headers = {"Content-Type": "text/plain", **headers}
        return await user.client.request(method, path + more, body=content, headers=headers)
    return await user.client.request(method, path + more, content, headers=headers)


@pytest.mark.parametrize(("method", "more", "content"), WRITES)
@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": '"1"'},
        {"If-Match": '"3"'},
        {"If-Match": '"0"'},
        {"If-Match": 'W/"2"'},
        {"If-Match": '"1", "3"'},
        {"If-Match": '"02"'},
        {"If-Match": '"' + "9" * 30 + '"'},
        {"If-None-Match": "*"},
        {"If-None-Match": 'W/"2"'},
        {"If-Match": '"2"', "If-None-Match": '"2"'},
    ],
)
@ensureDeferred
async def test_a_write_on_a_false_condition_is_refused_and_told_what_there_is(
    anna: User, method: str, more: str, content: Any, headers: dict[str, str]
) -> None:
    file = await anna.replace(await anna.upload("draft", b"old"), b"older")

    answer = await write(anna, path_of(file), method, more, content, headers)

    assert (answer.code, answer.json["error"], answer.json["metadata"]) == (412, 412, file)
    assert (await anna.client.get(path_of(file))).json == file


@pytest.mark.parametrize(("method", "more", "content"), WRITES)
@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": '"2"'},
        {"If-Match": "*"},
        {"If-Match": '"1", "2"'},
        {"If-None-Match": '"1"'},
        {"If-Match": '"2"', "If-None-Match": '"1"'},
    ],
)
@ensureDeferred
async def test_a_write_on_a_true_condition_is_done(
    anna: User, method: str, more: str, content: Any, headers: dict[str, str]
) -> None:
    file = await anna.replace(await anna.upload("draft", b"old"), b"older")

    answer = await write(anna, path_of(file), method, more, content, headers)

    assert (answer.code, answer.json["version"], answer.header("ETag")) == (200, 3, '"3"')


@ensureDeferred
async def test_folders_and_the_trash_have_conditions_too(anna: User) -> None:
    folder = await anna.folder("conditional")
    path, stale = path_of(folder), {"If-Match": '"7"'}

    refused = [
        await anna.client.put(path, {"name": "x"}, headers=stale),
        await anna.client.request("DELETE", path, headers=stale),
    ]
    await anna.delete(folder)
    refused.append(await anna.client.post(f"{path}/restore", headers=stale))
    restored = await anna.client.post(f"{path}/restore", headers={"If-Match": '"2"'})

    assert [answer.code for answer in refused] == [412] * 3
    assert (restored.code, restored.json["version"]) == (200, 3)


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
@ensureDeferred
async def test_a_condition_that_cannot_be_read_is_not_passed_over(anna: User, name: str) -> None:
    file = await anna.upload("unread")

    answer = await anna.client.put(path_of(file), {"name": "x"}, headers={name: "1"})

    assert (answer.code, answer.json["parameter"]) == (400, name)


@ensureDeferred
async def test_what_is_new_has_no_version_to_match(anna: User) -> None:
    headers = {"If-Match": "*"}

    folder = await anna.client.post("/api/folder", {"name": "never"}, headers=headers)
    file = await anna.client.request("POST", "/api/file?name=never", body=b"", headers=headers)
    fresh = await anna.client.post("/api/folder", {"name": "first"}, headers={"If-None-Match": "*"})

    assert (folder.code, file.code, fresh.code) == (412, 412, 201)


@pytest.mark.parametrize("tags", ['"1"', 'W/"1"', "*", '"7", "1"'])
@ensureDeferred
async def test_who_has_the_metadata_is_told_so(anna: User, tags: str) -> None:
    file = await anna.upload("seen")
    folder = await anna.folder("seen too")

    for path in (path_of(file), path_of(folder), f"{path_of(file)}/version/1"):
        known = await anna.client.get(path, headers={"If-None-Match": tags})
        assert (known.code, known.body, known.header("ETag")) == (304, b"", '"1"')


@ensureDeferred
async def test_who_has_an_older_version_gets_the_newest(anna: User) -> None:
    file = await anna.replace(await anna.upload("newer", b"1"), b"2")

    answer = await anna.client.get(path_of(file), headers={"If-None-Match": '"1"'})

    assert (answer.code, answer.json) == (200, file)


@ensureDeferred
async def test_of_two_editors_the_second_is_told_of_the_first(anna: User) -> None:
    file = await anna.upload("shared draft", b"text")
    path, seen = f"{path_of(file)}/data", {"If-Match": '"1"', "Content-Type": "text/plain"}

    first = await anna.client.request("PUT", path, body=b"first", headers=seen)
    second = await anna.client.request("PUT", path, body=b"second", headers=seen)

    assert (first.code, second.code) == (200, 412)
    assert second.json["metadata"] == first.json
    assert (await anna.client.get(path)).body == b"first"
