"""``/workspaces/:id/changes``: what became of a workspace since a revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacksync.errors import WorkspaceNotFound
from stacksync.protocols.http.answer import Answer
from stacksync.protocols.http.body import identity_in_path
from stacksync.protocols.http.items import ITEM
from stacksync.protocols.http.query import Query
from stacksync.protocols.http.resource import ApiResource

if TYPE_CHECKING:
    from stacksync.engine.changes import ChangeLog
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

PARAMETERS = frozenset(["since"])


class ChangesResource(ApiResource):
    """``GET /workspaces/:id/changes?since=``; without ``since`` it is 0, the whole live state."""

    def __init__(self, authenticator: IAuthenticator, changes: ChangeLog) -> None:
        super().__init__(authenticator, {b"GET": self._show})
        self._changes = changes

    async def _show(self, request: ApiRequest, principal: Principal) -> Answer:
        workspace_id = identity_in_path(request, "workspace", WorkspaceNotFound)
        since = Query(request, PARAMETERS).natural("since") or 0
        changes = await self._changes.since(principal, workspace_id, since, ITEM.shape)
        # The items come from the database as the JSON that they are to be.
        return Answer(b'{"revision":%d,"items":%b}' % (changes.revision, changes.items))
