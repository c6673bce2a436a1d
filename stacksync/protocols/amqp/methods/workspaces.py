"""``getWorkspaces`` and ``updateWorkspace``."""

from __future__ import annotations

from typing import Any

from stacksync.engine.workspaces import Workspaces
from stacksync.errors import InvalidRequest, ItemNotFound, WorkspaceNotFound
from stacksync.model import Workspace
from stacksync.protocols.amqp.errors import EXCEPTIONS, ErrorNames, NoWorkspacesFound
from stacksync.protocols.amqp.methods.accounts import user
from stacksync.protocols.amqp.methods.method import Call, Method, Methods
from stacksync.protocols.amqp.methods.storage_place import NO_PLACE, StoragePlace, without_nulls
from stacksync.protocols.fields import identity, integer, required, text

LIST_ERRORS: ErrorNames = {NoWorkspacesFound: EXCEPTIONS + "NoWorkspacesFoundException"}
UPDATE_ERRORS: ErrorNames = dict.fromkeys(
    (WorkspaceNotFound, ItemNotFound, InvalidRequest), EXCEPTIONS + "WorkspaceNotUpdatedException"
)
UPDATE_NAMES = {"name": "workspaceName", "parent_item_id": "parentItemId"}


def encode_workspace(workspace: Workspace, place: StoragePlace = NO_PLACE) -> dict[str, Any]:
    """``Workspace``; ``role`` and ``rootItem`` are new."""
    parent, root = workspace.parent_item_id, workspace.root_item_id
    return {
        "id": workspace.id,
        "name": workspace.name,
        "parentItem": {"id": parent} if parent is not None else None,
        "latestRevision": workspace.latest_revision,
        "owner": user(workspace.owner, place),
        "swiftContainer": workspace.container,
        **without_nulls({"swiftUrl": place.url}),
        "isShared": workspace.is_shared,
        "isEncrypted": workspace.is_encrypted,
        "role": workspace.role.value,
        "rootItem": {"id": root} if root is not None else None,
    }


class WorkspaceMethods:
    """The methods about the caller's workspaces."""

    def __init__(self, workspaces: Workspaces, place: StoragePlace = NO_PLACE) -> None:
        self._workspaces = workspaces
        self._place = place

    def methods(self) -> Methods:
        return {
            "getWorkspaces": Method(self._get_workspaces, LIST_ERRORS),
            "updateWorkspace": Method(self._update_workspace, UPDATE_ERRORS, UPDATE_NAMES),
        }

    async def _get_workspaces(self, call: Call) -> list[dict[str, Any]]:
        workspaces = await self._workspaces.list(call.principal)
        if not workspaces:
            raise NoWorkspacesFound(f"account {call.principal.account_id} has no workspaces")
        return [encode_workspace(workspace, self._place) for workspace in workspaces]

    async def _update_workspace(self, call: Call) -> None:
        fields = call.fields
        await self._workspaces.update(
            call.principal,
            call.request_id,
            required(identity(fields, "workspaceId"), "workspaceId"),
            name=text(fields, "workspaceName"),
            # On this protocol a missing parent is the root, not "as it was".
            parent_item_id=integer(fields, "parentItemId") or 0,
        )
