"""Changes of one item, asked for without further ado."""

from __future__ import annotations

from typing import Any

import pytest

from stacksync.engine import Engine
from stacksync.engine.item_commits import Describe, ItemCommits
from stacksync.model import Item, ItemChange
from tests.db.builders import change
from tests.engine.conftest import Person


@pytest.fixture
def commits(engine: Engine) -> ItemCommits:
    return engine.items._commits


def growing(size: int) -> Describe:
    """What makes a file this large."""
    return lambda item: change(item, size=size)


async def create(commits: ItemCommits, who: Person, asked: ItemChange, **options: Any) -> Item:
    options = {"request_id": None, **options}
    return await commits.create(who.principal, who.user.workspace_id, asked, **options)


async def change_it(
    commits: ItemCommits, who: Person, item: Item, describe: Describe, **options: Any
) -> Item:
    options = {"expected": None, "request_id": None, **options}
    return await commits.change(who.principal, item.id, describe, **options)
