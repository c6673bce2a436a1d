"""The nouns of the domain, as frozen attrs classes.

Units: sizes and quotas are bytes; instants are aware UTC ``datetime`` objects
with millisecond precision; a revision counts a workspace's commits, a version
counts an item's.  No wire formats and no SQL here.
"""

from __future__ import annotations

from stacksync.model.accounts import (
    Account,
    Device,
    DeviceDescription,
    Principal,
    SignIn,
)
from stacksync.model.commits import (
    CommitRequest,
    CommitResult,
    ItemChange,
    ItemOutcome,
    Refusal,
)
from stacksync.model.items import (
    BlobInfo,
    Content,
    Item,
    ItemStatus,
)
from stacksync.model.listings import (
    Changes,
    ItemPage,
    ItemShape,
    Order,
    Paging,
)
from stacksync.model.workspaces import (
    Role,
    Workspace,
)

__all__ = [
    "Account",
    "BlobInfo",
    "Changes",
    "CommitRequest",
    "CommitResult",
    "Content",
    "Device",
    "DeviceDescription",
    "Item",
    "ItemChange",
    "ItemOutcome",
    "ItemPage",
    "ItemShape",
    "ItemStatus",
    "Order",
    "Paging",
    "Principal",
    "Refusal",
    "Role",
    "SignIn",
    "Workspace",
]
