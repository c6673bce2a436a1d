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
    Scope,
    SignIn,
)
from stacksync.model.audit import AuditEvent, AuditKind
from stacksync.model.broker import (
    BrokerPermission,
    BrokerResource,
    ClientExchange,
    ExchangePurpose,
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
from stacksync.model.oauth import (
    Allowed,
    Asked,
    Consumer,
    RequestToken,
    SignedRequest,
    TokenCredentials,
)
from stacksync.model.sharing import (
    Addressee,
    AddresseeState,
    Member,
    Proposal,
    ProposalState,
)
from stacksync.model.tokens import NewToken, Token
from stacksync.model.workspaces import (
    Role,
    Workspace,
)

__all__ = [
    "Account",
    "Addressee",
    "AddresseeState",
    "Allowed",
    "Asked",
    "AuditEvent",
    "AuditKind",
    "BlobInfo",
    "BrokerPermission",
    "BrokerResource",
    "Changes",
    "ClientExchange",
    "CommitRequest",
    "CommitResult",
    "Consumer",
    "ContainerAccess",
    "Content",
    "Device",
    "DeviceDescription",
    "ExchangePurpose",
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
    "NewToken",
    "Order",
    "Paging",
    "Principal",
    "Proposal",
    "ProposalState",
    "Refusal",
    "RequestToken",
    "Role",
    "Scope",
    "SignIn",
    "SignedRequest",
    "Token",
    "TokenCredentials",
    "Workspace",
]
