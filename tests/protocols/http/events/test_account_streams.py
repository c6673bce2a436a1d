"""Event streams keep up with what their account takes part in, and is asked to."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from attrs import define, evolve, field
from pytest_twisted import ensureDeferred

from stacksync.errors import Unavailable
from stacksync.events import (
    Committed,
    Event,
    ShareProposed,
    SharesTouched,
    Unshared,
    WorkspaceTouched,
    WorkspaceUpdated,
)
from stacksync.model import Proposal, Role, Workspace
from stacksync.protocols.http.events import account_streams
from tests.protocols.amqp.builders import proposal
from tests.protocols.http.builders import commit_result
from tests.protocols.http.client import Conversation, Patience, eventually
from tests.protocols.http.conftest import StartSite
from tests.protocols.http.engines import ANNA, MadeUpEngine, Noun
from tests.protocols.http.streams import HOME, announce, opened, workspace

SHARED = evolve(workspace(revision=7), name="Fotos", is_shared=True, root_item_id=5)


@define
class Estate:
    """What an account has, as its engine tells it, however slowly."""

    workspaces: list[Workspace] = field(factory=lambda: [HOME])
    proposals: list[Proposal] = field(factory=list)
    problems: list[Exception] = field(factory=list)
    reads: int = 0
    patience: Patience | None = None

    @property
    def engine(self) -> MadeUpEngine:
        return MadeUpEngine(workspaces=Noun(list=self._list), proposals=Noun(waiting=self._waiting))

    async def _list(self, principal: Any) -> tuple[Workspace, ...]:
        self.reads += 1
        found = tuple(self.workspaces)
        if self.patience is not None:
            await self.patience.wait()
        if self.problems:
            raise self.problems.pop()
        return found

    async def _waiting(self, principal: Any) -> tuple[Proposal, ...]:
        return tuple(self.proposals)


def unshared(workspace_id: UUID = SHARED.id) -> Unshared:
    return Unshared(ANNA, "r-2", workspace_id, 5, "Fotos", uuid4(), "Bert", "container", False)


async def told_next(stream: Conversation, engine: MadeUpEngine) -> tuple[str, Any]:
    """The next event; with a commit of HOME behind it, so that there is one in any case."""
    await announce(engine, [WorkspaceTouched(HOME.id, 1000)])
    return await stream.event()


NOTHING_NEW = ("commit", {"workspace_id": str(HOME.id), "revision": 1000})


@ensureDeferred
async def test_hello_tells_what_waits_for_an_answer(start_site: StartSite) -> None:
    asked = proposal()
    _, client = await start_site(Estate(proposals=[asked]).engine)

    stream = await client.events()
    await stream.until(b"\r\n\r\n")

    name, hello = await stream.event()
    assert (name, [each["id"] for each in hello["shares"]]) == ("hello", [str(asked.id)])


@pytest.mark.parametrize("is_hint", [True, False])
@ensureDeferred
async def test_a_new_proposal_is_told_once(start_site: StartSite, is_hint: bool) -> None:
    estate = Estate()
    engine = estate.engine
    _, client = await start_site(engine)
    stream = await opened(client)
    estate.proposals.append(proposal())

    event = SharesTouched(ANNA) if is_hint else ShareProposed("r", estate.proposals[0], (ANNA,))
    for _ in range(3):
        await announce(engine, [event])

    name, told = await stream.event()
    assert (name, told["id"]) == ("share-proposal", str(estate.proposals[0].id))
    assert (told["folder_name"], told["role"], told["state"]) == ("Fotos", "editor", "pending")
    assert await told_next(stream, engine) == NOTHING_NEW


@ensureDeferred
async def test_a_new_workspace_is_told_and_its_commits_from_then_on(start_site: StartSite) -> None:
    estate = Estate()
    engine = estate.engine
    _, client = await start_site(engine)
    stream = await opened(client)
    await announce(engine, [Committed(commit_result(SHARED.id, 6))])
    estate.workspaces.append(SHARED)

    await announce(engine, [WorkspaceUpdated(ANNA, "accept", SHARED)])
    await announce(engine, [Committed(commit_result(SHARED.id, 8))])

    name, told = await stream.event()
    assert (name, told["id"], told["request_id"]) == ("workspace", str(SHARED.id), "accept")
    assert (told["latest_revision"], told["root_item_id"]) == (7, 5)
    name, told = await stream.event()
    assert (name, told["workspace_id"], told["revision"]) == ("commit", str(SHARED.id), 8)


@ensureDeferred
async def test_what_is_committed_before_a_new_workspace_is_followed_is_hinted_at(
    start_site: StartSite,
) -> None:
    estate = Estate()
    engine = estate.engine
    _, client = await start_site(engine)
    stream = await opened(client)
    estate.workspaces.append(SHARED)
    estate.patience = Patience()

    await announce(engine, [SharesTouched(ANNA)])
    await eventually(lambda: estate.patience.waiting)  # type: ignore[union-attr]
    estate.workspaces[1] = evolve(SHARED, latest_revision=9)
    estate.patience.go_on()
    await eventually(lambda: estate.patience.waiting)  # type: ignore[union-attr]
    estate.patience.go_on()

    assert (await stream.event())[1]["latest_revision"] == 7
    assert await stream.event() == ("commit", {"workspace_id": str(SHARED.id), "revision": 9})


@ensureDeferred
async def test_who_is_unshared_is_told_nothing_more_at_once(start_site: StartSite) -> None:
    estate = Estate([HOME, SHARED])
    engine = estate.engine
    _, client = await start_site(engine)
    stream = await opened(client)
    estate.patience = Patience()
    estate.workspaces.pop()

    await announce(engine, [unshared(), Committed(commit_result(SHARED.id, 8))])
    name, told = await stream.event()
    assert (name, told["workspace_id"], told["request_id"]) == ("unshare", str(SHARED.id), "r-2")
    assert (told["item_id"], told["folder_name"], told["owner"]["name"]) == (5, "Fotos", "Bert")
    await announce(engine, [WorkspaceTouched(SHARED.id, 9)])
    estate.patience.go_on()

    assert await told_next(stream, engine) == NOTHING_NEW


@ensureDeferred
async def test_what_was_read_before_an_unshare_is_not_believed_after_it(
    start_site: StartSite,
) -> None:
    estate = Estate([HOME, SHARED])
    engine = estate.engine
    _, client = await start_site(engine)
    stream = await opened(client)
    estate.patience, before = Patience(), estate.reads

    await announce(engine, [SharesTouched(ANNA)])
    await eventually(lambda: estate.patience.waiting)  # type: ignore[union-attr]
    estate.workspaces.pop()
    await announce(engine, [unshared()])
    patience, estate.patience = estate.patience, None
    patience.go_on()

    assert (await stream.event())[0] == "unshare"
    await eventually(lambda: estate.reads == before + 2)
    assert await told_next(stream, engine) == NOTHING_NEW


@ensureDeferred
async def test_a_share_that_ended_elsewhere_is_found_gone(start_site: StartSite) -> None:
    estate = Estate([HOME, SHARED])
    engine = estate.engine
    _, client = await start_site(engine)
    stream = await opened(client)
    estate.workspaces.pop()

    await announce(engine, [SharesTouched(ANNA), Committed(commit_result(SHARED.id, 8))])

    name, told = await stream.event()
    assert (name, told["workspace_id"], told["request_id"]) == ("unshare", str(SHARED.id), None)
    assert (told["item_id"], told["folder_name"]) == (5, "Fotos")
    assert await told_next(stream, engine) == NOTHING_NEW


@pytest.mark.parametrize(
    "change",
    [{"name": "Holidays"}, {"parent_item_id": 9}, {"role": Role.VIEWER}],
    ids=lambda change: str(*change),
)
@ensureDeferred
async def test_what_looks_otherwise_elsewhere_is_told(
    start_site: StartSite, change: dict[str, Any]
) -> None:
    estate = Estate([HOME, SHARED])
    engine = estate.engine
    _, client = await start_site(engine)
    stream = await opened(client)
    estate.workspaces[1] = evolve(SHARED, **change)

    await announce(engine, [SharesTouched(ANNA), SharesTouched(uuid4())])

    name, told = await stream.event()
    assert (name, told["id"], told["request_id"]) == ("workspace", str(SHARED.id), None)
    assert {field: told[field] for field in change} == change
    assert await told_next(stream, engine) == NOTHING_NEW


@ensureDeferred
async def test_touches_while_it_looks_are_one_look_more(start_site: StartSite) -> None:
    estate = Estate()
    engine = estate.engine
    _, client = await start_site(engine)
    await opened(client)
    await opened(client)
    estate.patience, before = Patience(), estate.reads

    await announce(engine, [SharesTouched(ANNA)])
    await eventually(lambda: estate.patience.waiting)  # type: ignore[union-attr]
    await announce(engine, [SharesTouched(ANNA)] * 20)
    estate.patience.go_on()
    await eventually(lambda: estate.patience.waiting)  # type: ignore[union-attr]
    estate.patience.go_on()
    await announce(engine, [SharesTouched(uuid4())])

    assert estate.reads == before + 2


@ensureDeferred
async def test_a_look_that_fails_is_tried_again(
    start_site: StartSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_streams, "RETRY", 0.01)
    estate = Estate()
    engine = estate.engine
    _, client = await start_site(engine)
    stream = await opened(client)
    estate.problems = [Unavailable("database", "away"), Unavailable("database", "away")]
    estate.workspaces.append(SHARED)

    await announce(engine, [SharesTouched(ANNA)])

    assert (await stream.event())[0] == "workspace"


@ensureDeferred
async def test_a_stream_that_is_gone_looks_at_nothing(start_site: StartSite) -> None:
    estate = Estate()
    engine = estate.engine
    site, client = await start_site(engine)
    stream = await opened(client)
    estate.patience = Patience()
    told: list[Event] = [SharesTouched(ANNA), unshared(), WorkspaceUpdated(ANNA, "r", SHARED)]
    await announce(engine, told)
    reads = estate.reads

    stream.hang_up()
    await eventually(lambda: len(site.streams) == 0)
    estate.patience.go_on()
    await announce(engine, told)

    assert estate.reads == reads
