"""What an account takes part in, and is asked to: what its event streams keep up with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from attrs import evolve, field, frozen

from stacksync.protocols.http.events.event_stream import frame
from stacksync.protocols.http.resources.proposals import encode_proposal
from stacksync.protocols.http.resources.workspaces import encode_workspace

if TYPE_CHECKING:
    from stacksync.engine import Engine
    from stacksync.events import Unshared
    from stacksync.model import Principal, Proposal, Workspace


@frozen
class Holdings:
    """Workspaces, and proposals that wait for the account's answer, by their ids."""

    workspaces: Mapping[UUID, Workspace] = field(factory=dict)
    proposals: Mapping[UUID, Proposal] = field(factory=dict)

    def without(self, workspace_id: UUID) -> Holdings:
        """The same, but for one workspace."""
        left = {name: each for name, each in self.workspaces.items() if name != workspace_id}
        return evolve(self, workspaces=left)

    def having(self, workspace: Workspace) -> Holdings:
        """The same, with a workspace as it is now."""
        return evolve(self, workspaces={**self.workspaces, workspace.id: workspace})


ReadHoldings = Callable[["Principal"], Awaitable[Holdings]]


def holdings_from(engine: Engine) -> ReadHoldings:
    """What reads them from the engine."""

    async def read(principal: Principal) -> Holdings:
        workspaces = await engine.workspaces.list(principal)
        proposals = await engine.proposals.waiting(principal)
        return Holdings(
            {each.id: each for each in workspaces}, {each.id: each for each in proposals}
        )

    return read


def look(workspace: Workspace) -> dict[str, Any]:
    """What a ``workspace`` event tells but the revision, which ``commit`` events tell."""
    told = encode_workspace(workspace)
    del told["latest_revision"]
    return told


def hello_event(holdings: Holdings) -> bytes:
    workspaces = [
        {"id": workspace.id, "revision": workspace.latest_revision}
        for workspace in holdings.workspaces.values()
    ]
    shares = [encode_proposal(proposal) for proposal in holdings.proposals.values()]
    return frame("hello", orjson.dumps({"workspaces": workspaces, "shares": shares}))


def workspace_event(workspace: Workspace, request_id: str | None) -> bytes:
    """A workspace that is new, or that this account sees otherwise than before.

    :param request_id: of what has brought it about, if that is known here.
    """
    told = {"request_id": request_id, **encode_workspace(workspace)}
    return frame("workspace", orjson.dumps(told))


def proposal_event(proposal: Proposal) -> bytes:
    return frame("share-proposal", orjson.dumps(encode_proposal(proposal)))


def unshare_event(event: Unshared) -> bytes:
    """A workspace that this account takes part in no more."""
    return frame(
        "unshare",
        orjson.dumps(
            {
                "request_id": event.request_id,
                "workspace_id": event.workspace_id,
                "item_id": event.item_id,
                "folder_name": event.folder_name,
                "owner": {"id": event.owner_id, "name": event.owner_name},
                "container": event.container,
                "is_encrypted": event.is_encrypted,
            }
        ),
    )


def gone_event(workspace: Workspace) -> bytes:
    """The same, of what was there when it was looked at last."""
    return frame(
        "unshare",
        orjson.dumps(
            {
                "request_id": None,
                "workspace_id": workspace.id,
                "item_id": workspace.root_item_id,
                "folder_name": workspace.name,
                "owner": {"id": workspace.owner.id, "name": workspace.owner.name},
                "container": workspace.container,
                "is_encrypted": workspace.is_encrypted,
            }
        ),
    )
