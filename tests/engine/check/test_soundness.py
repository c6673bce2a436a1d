"""A check finds nothing where nothing is wrong."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from tests.engine.content.builders import noise
from tests.engine.estate import Estate, estate

__all__ = ["estate"]


@ensureDeferred
async def test_nothing_is_found_where_nothing_is_wrong(estate: Estate) -> None:
    for _ in range(2):
        anna = await estate.person()
        docs = await estate.engine.items.create_folder(anna.principal, "docs", None)
        item = await estate.upload(anna, "a", noise(3_000_000), docs)
        await estate.overwrite(anna, item, b"")
        await estate.upload(anna, "b", b"b")
        await estate.delete(anna, docs)
    check = estate.new_check()

    await check.run()

    assert check.findings.kept == []
    assert check.findings.remaining == 0
    assert check.notes == []
    assert check.workspaces == 2
    assert check.bytes == 2 * 3_000_001
