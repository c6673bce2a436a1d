"""``getVersions`` and ``restoreVersion``."""

from __future__ import annotations

from typing import Any

from pytest_twisted import ensureDeferred

from tests.protocols.amqp.builders import new_file, next_version
from tests.protocols.amqp.conftest import User


async def changed_file(user: User) -> tuple[dict[str, Any], dict[str, Any]]:
    """A file's first version and its second."""
    told = await user.commit(new_file(size=5, chunks=["one"]))
    first = told["items"][0]["metadata"]
    told = await user.commit(next_version(first, size=9, chunks=["two"]))
    return first, told["items"][0]["metadata"]


@ensureDeferred
async def test_versions_are_told_newest_first(anna: User) -> None:
    first, second = await changed_file(anna)

    assert await anna.call("getVersions", itemId=first["id"]) == [second, first]


@ensureDeferred
async def test_a_version_becomes_the_newest_again_once_however_often_it_is_asked(
    anna: User,
) -> None:
    first, _ = await changed_file(anna)
    asked = {
        "itemId": first["id"],
        "version": 1,
        "deviceId": anna.device_id,
        "requestId": "back",
    }

    restored = await anna.call("restoreVersion", **asked)

    assert (restored["version"], restored["status"]) == (3, "CHANGED")
    assert (restored["size"], restored["chunks"]) == (5, ["one"])
    assert restored["deviceId"] == anna.device_id
    assert await anna.call("restoreVersion", **asked) == restored
    assert len(await anna.call("getVersions", itemId=first["id"])) == 3


@ensureDeferred
async def test_somebody_elses_file_looks_like_none(anna: User, bert: User) -> None:
    first, _ = await changed_file(anna)

    for item_id in (first["id"], 2**62):
        expected = ("IllegalArgumentException", f"no such item: {item_id}")
        assert await bert.refusal("getVersions", itemId=item_id) == expected
        assert await bert.refusal("restoreVersion", itemId=item_id, version=1) == expected


@ensureDeferred
async def test_what_names_no_version_is_refused(anna: User) -> None:
    first, _ = await changed_file(anna)

    async def complaint(**fields: Any) -> str:
        asked = {"itemId": first["id"], "version": 1, **fields}
        return (await anna.refusal("restoreVersion", **asked))[1]

    assert await complaint(version=9) == "no such version: 9"
    assert await complaint(version="1") == "version: must be an integer of 64 bits"
    assert await complaint(itemId=None) == "itemId: is missing"
    assert await complaint(requestId=None) == "requestId: is missing"
