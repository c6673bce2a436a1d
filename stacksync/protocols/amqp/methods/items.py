"""``ItemMetadata`` and ``CommitInfo`` (contracts/objectmq.md, *Types*).

``revision`` is new in ``ItemMetadata``: the newest one in an answer to
``getChanges`` is the cursor to ask with next time.
"""

from __future__ import annotations

from typing import Any

from stacksync.model import CommitResult, ItemOutcome
from stacksync.protocols.items import ItemCodec

ITEM_METADATA = ItemCodec(
    names={
        "id": "id",
        "version": "version",
        "revision": "revision",
        "device_id": "deviceId",
        "workspace_id": "workspaceId",
        "parent_id": "parentId",
        "parent_version": "parentVersion",
        "status": "status",
        "modified_at": "modifiedAt",
        "checksum": "checksum",
        "chunks": "chunks",
        "size": "size",
        "is_folder": "isFolder",
        "name": "filename",
        "mimetype": "mimetype",
    },
    temp_id="tempId",
)


def commit_notification(result: CommitResult) -> dict[str, Any]:
    """The parameter of ``notifyCommit``."""
    return {
        "requestId": result.request_id,
        "workspaceId": result.workspace_id,
        "revision": result.revision,
        "items": [commit_info(outcome) for outcome in result.outcomes],
        "limitQuota": result.quota_limit,
        "usedQuota": result.quota_used,
    }


def commit_info(outcome: ItemOutcome) -> dict[str, Any]:
    """What became of one item; ``reason`` and ``problem`` are new, for refused ones.

    Where the server holds no version to tell, the client gets back what it
    asked, so that it recognises its item.
    """
    item, change = outcome.item, outcome.change
    if item is not None:
        metadata = ITEM_METADATA.encode(item)
    elif change is not None:
        metadata = ITEM_METADATA.encode_change(change)
    else:
        metadata = {}
    if change is not None and change.temp_id is not None:
        metadata["tempId"] = change.temp_id
    info: dict[str, Any] = {
        "committedVersion": item.version if item is not None else None,
        "commitSucceed": outcome.committed,
        "metadata": metadata,
    }
    if outcome.refusal is not None:
        info["reason"] = outcome.refusal.value
        if outcome.problem is not None:
            info["problem"] = ITEM_METADATA.problem_in_wire_names(outcome.problem)
    return info
