"""``/workspaces``: what an account takes part in, and under what name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.web.resource import Resource

from stacksync.errors import InvalidRequest, WorkspaceNotFound
from stacksync.model import Workspace
from stacksync.protocols.fields import integer, text
from stacksync.protocols.http.answer import Answer, json_answer
from stacksync.protocols.http.body import identity_in_path, read_object, request_id
from stacksync.protocols.http.resource import ApiResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stacksync.engine.workspaces import Workspaces
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

FIELDS = frozenset(["name", "parent_item_id", "request_id"])


class WorkspacesResource(ApiResource):
    """``GET /workspaces``.

    :param parts: the resources below each workspace, by name.
    """

    def __init__(
        self,
        authenticator: IAuthenticator,
        workspaces: Workspaces,
        parts: Mapping[bytes, Resource],
    ) -> None:
        super().__init__(authenticator, {b"GET": self._list})
        self._workspaces = workspaces
        workspace = WorkspaceResource(authenticator, workspaces)
        for name, part in parts.items():
            workspace.putChild(name, part)
        self.put_variable("workspace", workspace)

    async def _list(self, request: ApiRequest, principal: Principal) -> Answer:
        workspaces = await self._workspaces.list(principal)
        return json_answer({"workspaces": [encode_workspace(each) for each in workspaces]})


class WorkspaceResource(ApiResource):
    """``GET /workspaces/:id``, ``PUT /workspaces/:id``."""

    def __init__(self, authenticator: IAuthenticator, workspaces: Workspaces) -> None:
        super().__init__(authenticator, {b"GET": self._show, b"PUT": self._update})
        self._workspaces = workspaces

    async def _show(self, request: ApiRequest, principal: Principal) -> Answer:
        workspace_id = identity_in_path(request, "workspace", WorkspaceNotFound)
        return json_answer(encode_workspace(await self._workspaces.get(principal, workspace_id)))

    async def _update(self, request: ApiRequest, principal: Principal) -> Answer:
        workspace_id = identity_in_path(request, "workspace", WorkspaceNotFound)
        fields = read_object(request, FIELDS)
        name = text(fields, "name")
        parent_item_id = integer(fields, "parent_item_id")
        if name is None and parent_item_id is None:
            raise InvalidRequest("body", "nothing to change: give name, parent_item_id or both")
        workspace = await self._workspaces.update(
            principal,
            request_id(request, fields),
            workspace_id,
            name=name,
            parent_item_id=parent_item_id,
        )
        return json_answer(encode_workspace(workspace))


def encode_workspace(workspace: Workspace) -> dict[str, Any]:
    return {
        "id": workspace.id,
        "name": workspace.name,
        "parent_item_id": workspace.parent_item_id,
        "role": workspace.role.value,
        "owner": {
            "id": workspace.owner.id,
            "email": workspace.owner.email,
            "name": workspace.owner.name,
        },
        "container": workspace.container,
        "is_shared": workspace.is_shared,
        "is_encrypted": workspace.is_encrypted,
        "root_item_id": workspace.root_item_id,
        "latest_revision": workspace.latest_revision,
    }
