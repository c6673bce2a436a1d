"""``/workspaces/:id/commits``: changes of items, several at a time.

A commit that the engine has is carried to its end even when the client goes:
what was begun in the database is answered there, and a repeat is told so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from twisted.internet.defer import Deferred

from stacksync.engine.carried_out import carried_out
from stacksync.engine.validation import check_item_count
from stacksync.errors import InvalidRequest, WorkspaceNotFound
from stacksync.model import CommitRequest, CommitResult
from stacksync.protocols.fields import identity, required
from stacksync.protocols.http.answer import Answer
from stacksync.protocols.http.body import identity_in_path, read_object, request_id
from stacksync.protocols.http.items import ITEM, encode_outcome
from stacksync.protocols.http.resource import ApiResource

if TYPE_CHECKING:
    from stacksync.engine.commits import Commits
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

FIELDS = frozenset(["device_id", "request_id", "items"])


class CommitsResource(ApiResource):
    """``POST /workspaces/:id/commits``."""

    def __init__(self, authenticator: IAuthenticator, commits: Commits) -> None:
        super().__init__(authenticator, {b"POST": self._commit})
        self._commits = commits

    async def _commit(self, request: ApiRequest, principal: Principal) -> Answer:
        asked = read_commit(request)
        commit = Deferred.fromCoroutine(self._commits.commit(principal, asked))
        return Answer(encode_result(await carried_out(commit)))


def read_commit(request: ApiRequest) -> CommitRequest:
    """The batch that a request asks for.

    :raises InvalidRequest: see :meth:`~stacksync.protocols.items.ItemCodec.decode_change`.
    """
    workspace_id = identity_in_path(request, "workspace", WorkspaceNotFound)
    fields = read_object(request, FIELDS)
    items = required(fields.get("items"), "items")
    if type(items) is not list:
        raise InvalidRequest("items", "must be a list")
    check_item_count(len(items), request.site.items_per_commit)
    return CommitRequest(
        workspace_id=workspace_id,
        device_id=required(identity(fields, "device_id"), "device_id"),
        request_id=request_id(request, fields),
        changes=tuple(
            [ITEM.decode_change(value, f"items[{index}]") for index, value in enumerate(items)]
        ),
    )


def encode_result(result: CommitResult) -> bytes:
    """A commit as its answer tells it, and as event streams do."""
    return orjson.dumps(
        {
            "workspace_id": result.workspace_id,
            "revision": result.revision,
            "request_id": result.request_id,
            "device_id": result.device_id,
            "quota_limit": result.quota_limit,
            "quota_used": result.quota_used,
            "items": [encode_outcome(outcome) for outcome in result.outcomes],
        }
    )
