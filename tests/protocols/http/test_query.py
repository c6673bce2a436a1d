"""Queries are read strictly; each refusal names the parameter that is wrong."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.conftest import User


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "name"),
        ("name=", "name"),
        ("name=a/b", "name"),
        ("name=..", "name"),
        ("name=%00", "name"),
        ("name=%ff", "name"),
        ("name=a&name=b", "name"),
        ("name=" + "x" * 256, "name"),
        ("name=a&parent=-1", "parent"),
        ("name=a&parent=x", "parent"),
        (f"name=a&parent={2**63}", "parent"),
        ("name=a&parent=", "parent"),
        ("name=a&folder=1", "folder"),
        ("name=a&mimetype=", "mimetype"),
        ("name=a&mimetype=text", "mimetype"),
        ("name=a&mimetype=a/" + "b" * 300, "mimetype"),
        ("name=a&mimetype=text/plain%0d%0aX:%20y", "mimetype"),
        ("name=a&modified_at=yesterday", "modified_at"),
        ("name=a&modified_at=2026-11-21T05:27:00", "modified_at"),
        (f"name=a&modified_at={2**62}", "modified_at"),
    ],
)
@ensureDeferred
async def test_a_query_that_cannot_be_is_refused_by_name(
    anna: User, query: str, parameter: str
) -> None:
    answer = await anna.client.send("POST", f"/api/file?{query}", b"x")

    assert (answer.code, answer.json["parameter"]) == (400, parameter)


@pytest.mark.parametrize("path", ["/api/file/1", "/api/file/1/data", "/api/file/1/versions"])
@ensureDeferred
async def test_a_query_is_refused_where_there_is_none(anna: User, path: str) -> None:
    answer = await anna.client.get(f"{path}?version=3")

    assert (answer.code, answer.json["parameter"]) == (400, "version")
