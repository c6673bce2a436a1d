"""Listings come page by page, sorted by the server, and say how they go on."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from stacksync.model import ItemPage, Order, Paging
from tests.protocols.http.conftest import StartSite, User
from tests.protocols.http.engines import MadeUpEngine, Noun

CONTENTS = "/api/folder/0/contents"


async def walked(user: User, path: str, name: str = "contents") -> list[list[str]]:
    """The names on each page, following ``Link``."""
    pages = []
    while path:
        answer = await user.client.get(path)
        assert answer.code == 200, answer.body
        pages.append([each["filename"] for each in answer.json[name]])
        link = answer.header("Link")
        assert (link is None) == (answer.json["next"] is None)
        found = re.fullmatch(r'<(.+)>; rel="next"', link or "")
        path = found[1] if found else ""
    return pages


async def filled(user: User) -> None:
    for name, size in (("b", 3), ("d", 1), ("a", 2), ("c", 5), ("e & ü=1", 4)):
        await user.upload(name, b"x" * size)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", "abcde"),
        ("&sort=name", "abcde"),
        ("&sort=-name", "edcba"),
        ("&sort=size", "dabec"),
        ("&sort=-size", "cebad"),
        ("&sort=modified_at", "bdace"),
        ("&sort=-modified_at", "ecadb"),
    ],
)
@ensureDeferred
async def test_pages_follow_one_another_in_the_order_asked(
    anna: User, sort: str, order: str
) -> None:
    await filled(anna)

    pages = await walked(anna, f"{CONTENTS}?limit=2{sort}")

    assert [[name[0] for name in page] for page in pages] == [
        *(list(order[:2]), list(order[2:4]), list(order[4:])),
    ]


@ensureDeferred
async def test_a_page_that_takes_all_is_the_last(anna: User) -> None:
    await filled(anna)

    answer = await anna.client.get(f"{CONTENTS}?limit=5")

    assert (len(answer.json["contents"]), answer.json["next"]) == (5, None)
    assert answer.header("Link") is None


@ensureDeferred
async def test_the_next_page_is_asked_for_as_this_one_was(anna: User) -> None:
    for name in ("a", "b", "c"):
        await anna.delete(await anna.upload(name))

    answer = await anna.client.get("/v1/folder/0/contents?limit=1&include_deleted=true")

    link = answer.header("Link")
    assert link.startswith("</v1/folder/0/contents?limit=1&include_deleted=true&after=")
    pages = await walked(anna, f"{CONTENTS}?include_deleted=true&limit=2")
    assert pages == [["a", "b"], ["c"]]
    assert await walked(anna, f"{CONTENTS}?limit=1&after={answer.json['next']}") == [[]]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("sort=", "sort"),
        ("sort=colour", "sort"),
        ("sort=%2Bname", "sort"),
        ("after=", "after"),
        ("after=nonsense", "after"),
        ("after=%ff", "after"),
        ("offset=3", "offset"),
        ("limit=1&limit=2", "limit"),
    ],
)
@pytest.mark.parametrize("path", [CONTENTS, "/api/trash"])
@ensureDeferred
async def test_a_page_that_cannot_be_is_refused_by_name(
    anna: User, path: str, query: str, parameter: str
) -> None:
    answer = await anna.client.get(f"{path}?{query}")

    assert (answer.code, answer.json["parameter"]) == (400, parameter)


@ensureDeferred
async def test_a_cursor_of_another_order_is_refused(anna: User) -> None:
    await filled(anna)
    cursor = (await anna.client.get(f"{CONTENTS}?limit=1")).json["next"]

    answer = await anna.client.get(f"{CONTENTS}?sort=size&after={cursor}")

    assert (answer.code, answer.json["parameter"]) == (400, "after")


@pytest.mark.parametrize(
    ("path", "paging"),
    [
        (CONTENTS, Paging(200, None, Order.NAME, False)),
        ("/api/trash", Paging(200, None, Order.MODIFIED, True)),
        (f"{CONTENTS}?limit=1000&after=x", Paging(1000, "x", Order.NAME, False)),
        ("/api/trash?limit=1&sort=name", Paging(1, None, Order.NAME, False)),
    ],
)
@ensureDeferred
async def test_what_is_not_said_is_200_items_by_name_or_newest_first(
    start_site: StartSite, path: str, paging: Paging
) -> None:
    asked: list[Any] = []

    async def page(*arguments: Any, **_: Any) -> ItemPage:
        asked.extend(each for each in arguments if isinstance(each, Paging))
        return ItemPage(b"[]", 0, None)

    engine = MadeUpEngine(items=Noun(contents=page), trash=Noun(list=page))
    _, client = await start_site(engine)

    assert (await client.get(path)).code == 200
    assert asked == [paging]
