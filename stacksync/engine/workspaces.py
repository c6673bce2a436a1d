"""Workspaces, as their members see and mount them."""

from __future__ import annotations

from uuid import UUID

from stacksync.db.workspaces import WorkspaceTable
from stacksync.engine import validation
from stacksync.engine.access import Access, check_scope
from stacksync.engine.notifier import Notifier
from stacksync.engine.sharing.mounts import Mounts
from stacksync.errors import InvalidRequest, ItemNotFound, ParentNotFound
from stacksync.events import WorkspaceUpdated
from stacksync.model import Principal, Workspace


class Workspaces:
    """Operations on the workspaces that a principal is a member of."""

    def __init__(
        self, table: WorkspaceTable, access: Access, notifier: Notifier, mounts: Mounts
    ) -> None:
        self._mounts = mounts
        self._table = table
        self._access = access
        self._notifier = notifier

    async def list(self, principal: Principal) -> tuple[Workspace, ...]:
        """The principal's workspaces, oldest first."""
        return await self._table.of_account(principal.account_id)

    async def get(self, principal: Principal, workspace_id: UUID) -> Workspace:
        """:raises WorkspaceNotFound: no such workspace, or not the principal's."""
        return await self._access.workspace(principal, workspace_id)

    async def update(
        self,
        principal: Principal,
        request_id: str,
        workspace_id: UUID,
        *,
        name: str | None,
        parent_item_id: int | None,
    ) -> Workspace:
        """Rename or re-mount a workspace for this member; tells the member's devices.

        :param name: ``None`` keeps it.
        :param parent_item_id: ``None`` keeps it, 0 is the root, else a live
            folder of another workspace of the principal.
        :raises WorkspaceNotFound: no such workspace, or not the principal's.
        :raises ItemNotFound: no such folder.
        :raises NameTaken: something in the folder has the name.
        :raises NestedShare: the folder is shared: shared folders can't stand in one another.
        :raises InvalidRequest: nothing can have this name, or this request id.
        """
        check_scope(principal)
        validation.check_request_id(request_id)
        if name is not None:
            validation.check_name("name", name)
        if parent_item_id is not None and not 0 <= parent_item_id < validation.INT64:
            raise InvalidRequest("parent_item_id", f"{parent_item_id} is not an item's id")
        workspace = await self._access.workspace(principal, workspace_id)
        if workspace.root_item_id is not None:
            try:
                return await self._mounts.remount(
                    principal, request_id, workspace, name, parent_item_id
                )
            except ParentNotFound:
                raise ItemNotFound(parent_item_id) from None
        updated = await self._table.remount(
            principal.account_id, workspace_id, name, parent_item_id
        )
        if updated is None:
            raise ItemNotFound(parent_item_id)
        self._notifier.announce_later(WorkspaceUpdated(principal.account_id, request_id, updated))
        return updated
