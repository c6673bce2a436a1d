"""What devices and applications keep instead of a password."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from stacksync.model.accounts import Scope


@frozen
class Token:
    """The right to act for an account, as its owner and the operator see it.

    A device's is a bearer token (RFC 6750), an application's an access token of
    OAuth 1.0a (RFC 5849).

    :ivar device_id: whose it is; ``None``: an application's.
    :ivar consumer_key: of the application; ``None``: a device's.
    :ivar application: what the application is called.
    :ivar used_at: when it was last seen, to within some minutes.
    """

    id: UUID
    account_id: UUID
    name: str
    scope: Scope
    device_id: UUID | None
    consumer_key: str | None
    application: str | None
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


@frozen
class NewToken:
    """A bearer token just made: the only time that its secret can be told."""

    token: Token
    secret: str = field(repr=False)
