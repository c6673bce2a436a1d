"""What Swift says when it is not well: what is tried again, what is not, and how it is told."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from stacksync.errors import TooLarge, Unavailable
from stacksync.model import ContainerAccess
from stacksync.storage import SwiftStore
from stacksync.storage.swift.client import TRIES
from stacksync.streams import PIECE, BytesStream
from tests.storage.contract.bodies import Pieces
from tests.storage.contract.rig import HOME
from tests.storage.swift.scripted import Answer, OtherPlace, Script, playing

TIME = "Sat, 21 Nov 2026 16:59:12 GMT"
LARGE = 7
Make = Callable[..., SwiftStore]


def stored(content: bytes) -> Answer:
    etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return (201, {"ETag": etag, "Last-Modified": TIME}, b"")


def says(code: int, text: str = "", **headers: str) -> Answer:
    return (code, headers, text.encode())


PRESENT = (200, {"Last-Modified": TIME}, b"")


@pytest.mark.parametrize("code", [408, 429, 498, 500, 502, 503, 504, 507])
@ensureDeferred
async def test_what_passes_is_tried_again(make_store: Make, code: int) -> None:
    script = Script([says(code, "later"), says(code), stored(b"content")])
    with playing(script):
        store = make_store(OtherPlace(script))
        info = await store.put(HOME, "chunk", BytesStream(b"content"))

    assert info.size == 7
    assert script.bodies == [b"content"] * 3


@pytest.mark.parametrize("code", [429, 503])
@ensureDeferred
async def test_who_asks_for_a_pause_gets_it(make_store: Make, code: int) -> None:
    script = Script([says(code, **{"Retry-After": "1"}), stored(b"content")])
    begun = reactor.seconds()
    with playing(script):
        store = make_store(OtherPlace(script))
        await store.put(HOME, "chunk", BytesStream(b"content"))

    assert 1.0 <= reactor.seconds() - begun < 30


@ensureDeferred
async def test_who_asks_for_a_longer_pause_than_we_have_is_not_asked_again(
    make_store: Make,
) -> None:
    script = Script([says(503, **{"Retry-After": "3600"})])
    with playing(script):
        store = make_store(OtherPlace(script))
        with pytest.raises(Unavailable, match="503"):
            await store.put(HOME, "chunk", BytesStream(b"content"))

    assert len(script.seen) == 1


@ensureDeferred
async def test_what_does_not_pass_is_given_up_in_words(make_store: Make) -> None:
    script = Script([says(507)])
    with playing(script):
        store = make_store(OtherPlace(script))
        with pytest.raises(Unavailable, match=r"^storage: .*PUT /workspace-1/chunk.* it is full"):
            await store.put(HOME, "chunk", BytesStream(b"content"))

    assert len(script.seen) == TRIES


@pytest.mark.parametrize("code", [202, 409, 422])
@ensureDeferred
async def test_a_put_that_was_overtaken_or_damaged_is_made_again(
    make_store: Make, code: int
) -> None:
    script = Script([says(code), stored(b"content")])
    with playing(script):
        store = make_store(OtherPlace(script))
        await store.put(HOME, "chunk", BytesStream(b"content"))

    assert script.bodies == [b"content"] * 2


@ensureDeferred
async def test_a_large_object_that_is_not_what_was_sent_is_removed(make_store: Make) -> None:
    script = Script([says(204), stored(b"something else"), says(204)])
    with playing(script):
        store = make_store(OtherPlace(script))
        with pytest.raises(Unavailable, match="something else than was put"):
            await store.put(HOME, "chunk", Pieces([bytes(PIECE)] * LARGE))

    assert [each.split()[0] for each in script.seen] == ["HEAD", "PUT", "DELETE"]


@ensureDeferred
async def test_a_token_is_rejected_once(make_store: Make) -> None:
    script = Script([says(401)])
    keystone = OtherPlace(script)
    with playing(script):
        store = make_store(keystone)
        with pytest.raises(Unavailable, match="401"):
            await store.head(HOME, "chunk")

    assert keystone.rejected == ["token-0"]
    assert len(script.seen) == 2


@ensureDeferred
async def test_a_user_without_rights_is_told_what_may_be_missing(make_store: Make) -> None:
    script = Script([says(403)])
    with playing(script):
        store = make_store(OtherPlace(script))
        for operation in (store.check, lambda: store.list(HOME)):
            with pytest.raises(Unavailable, match="operator_roles"):
                await operation()

    assert len(script.seen) == 2


@ensureDeferred
async def test_a_size_that_no_object_may_have_is_told(make_store: Make) -> None:
    script = Script([says(413, "Your request is too large.")])
    with playing(script):
        store = make_store(OtherPlace(script))
        with pytest.raises(TooLarge, match="/workspace-1/chunk"):
            await store.put(HOME, "chunk", BytesStream(b"content"))


@pytest.mark.parametrize(
    "page", ["no JSON", "{}", '[{"bytes": 1}]', '[{"name": "a", "bytes": 1, "last_modified": "?"}]']
)
@ensureDeferred
async def test_a_listing_that_makes_no_sense_is_told(make_store: Make, page: str) -> None:
    script = Script([says(200, page)])
    with playing(script):
        store = make_store(OtherPlace(script))
        with pytest.raises(Unavailable, match="makes no sense"):
            await store.list(HOME)


@ensureDeferred
async def test_long_listings_are_asked_for_by_pages(make_store: Make) -> None:
    entry = '{"name": "%04d", "bytes": 1, "last_modified": "2026-11-21T16:59:11.757740"}'
    pages = [
        "[" + ",".join(entry % number for number in numbers) + "]"
        for numbers in (range(1000), range(1000, 2000), range(2000, 2100))
    ]
    script = Script([says(200, page) for page in pages])
    with playing(script):
        store = make_store(OtherPlace(script))
        listed = await store.list(HOME, limit=2500)

    assert [each.name for each in listed] == [f"{number:04d}" for number in range(2100)]
    assert len(script.seen) == 3


@pytest.mark.parametrize("failing", [says(500), says(503)], ids=str)
@ensureDeferred
async def test_the_health_check_asks_once(make_store: Make, failing: Answer) -> None:
    script = Script([failing])
    check: Awaitable[None]
    with playing(script):
        store = make_store(OtherPlace(script))
        check = store.check()
        with pytest.raises(Unavailable, match=r"^storage: Swift .*HEAD of the account"):
            await check

    assert script.seen == ["HEAD /v1/AUTH_project"]


@ensureDeferred
async def test_a_swift_that_says_nothing_without_a_token_is_asked_with_one(
    make_store: Make,
) -> None:
    told = b'{"swift": {"max_header_size": 8192}, "container_quotas": {}}'
    script = Script([says(401), (200, {}, told), (204, {}, b""), (204, {}, b"")])
    with playing(script):
        place = OtherPlace(script)
        store = make_store(place)
        await store.set_access(HOME, ContainerAccess(frozenset(), frozenset(), 4096))

    # The token that had ended is replaced, and the quota is kept with the container.
    assert place.rejected == ["token-0"]
    assert script.tokens == ["token-0", *["token-1"] * 3]
    assert script.seen == ["GET /info"] * 2 + [f"{each} /v1/AUTH_project/{HOME}" for each in
        ("HEAD", "POST")]  # fmt: skip
