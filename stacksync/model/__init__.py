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
    ContainerAccess,
    Content,
    Item,
    ItemStatus,
)
from stacksync.model.jobs import (
    Job,
    JobKind,
    JobState,
)
from stacksync.model.listings import (
    Changes,
    ItemPage,
    ItemShape,
    Order,
    Paging,
)
from stacksync.model.sharing import (
    Addressee,
    AddresseeState,
    Member,
    Proposal,
    ProposalState,
)
from stacksync.model.workspaces import (
    Role,
    Workspace,
)

__all__ = [
    "Account",
    "Addressee",
    "AddresseeState",
    "BlobInfo",
    "Changes",
    "CommitRequest",
    "CommitResult",
    "ContainerAccess",
    "Content",
    "Device",
    "DeviceDescription",
    "Item",
    "ItemChange",
    "ItemOutcome",
    "ItemPage",
    "ItemShape",
    "ItemStatus",
    "Job",
    "JobKind",
    "JobState",
    "Member",
    "Order",
    "Paging",
    "Principal",
    "Proposal",
    "ProposalState",
    "Refusal",
    "Role",
    "SignIn",
    "Workspace",
]
