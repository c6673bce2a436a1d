"""What the tests of event streams share: workspaces, engines that have them, open streams."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from stacksync.model import Account, Role, Workspace
from tests.protocols.http.builders import item
from tests.protocols.http.client import Conversation
from tests.protocols.http.engines import ANNA, MadeUpEngine, Noun, returning

ACCOUNT = Account(ANNA, "anna@example.org", "Anna", 10, 0, item().modified_at)


def workspace(workspace_id: UUID | None = None, revision: int = 3) -> Workspace:
    return Workspace(
        id=workspace_id or uuid4(),
        name="Home",
        parent_item_id=None,
        role=Role.OWNER,
        owner=ACCOUNT,
        container="c",
        is_shared=False,
        is_encrypted=False,
        latest_revision=revision,
    )


HOME = workspace()


def engine_with(*workspaces: Workspace) -> MadeUpEngine:
    return MadeUpEngine(workspaces=Noun(list=returning(tuple(workspaces))))


async def opened(listener: Any) -> Conversation:
    """An open stream that has said hello."""
    stream: Conversation = await listener.events()
    await stream.until(b"\r\n\r\n")
    assert (await stream.event())[0] == "hello"
    return stream


async def announce(engine: MadeUpEngine, told: Iterable[Any]) -> None:
    for event in told:
        await engine.notifier.sinks[0].announce(event)
