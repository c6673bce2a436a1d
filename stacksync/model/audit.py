"""What is kept of who did what to sign-ins, shares, tokens and accounts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from attrs import field, frozen

from stacksync.model.accounts import SignIn


class AuditKind(StrEnum):
    """What happened."""

    SIGNED_IN = "signed-in"
    REFUSED = "refused"
    """A sign-in that was wrong; several alike within a short while are one event with a count."""
    ACCOUNT_CREATED = "account-created"
    ACCOUNT_CHANGED = "account-changed"
    ACCOUNT_REMOVED = "account-removed"
    PASSWORD_CHANGED = "password-changed"
    TOKEN_CREATED = "token-created"
    TOKEN_REVOKED = "token-revoked"
    DEVICE_REVOKED = "device-revoked"
    CONSUMER_ADDED = "consumer-added"
    CONSUMER_REVOKED = "consumer-revoked"
    APPLICATION_ALLOWED = "application-allowed"
    APPLICATION_DENIED = "application-denied"
    SHARE_PROPOSED = "share-proposed"
    SHARE_ACCEPTED = "share-accepted"
    SHARE_DECLINED = "share-declined"
    SHARE_WITHDRAWN = "share-withdrawn"
    ROLE_CHANGED = "role-changed"
    """Somebody may do more or less than before in a folder that he takes part in."""
    UNSHARED = "unshared"
    """Somebody takes part in a folder no more; by himself, unless the detail says by whom."""
    EVENTS_LOST = "events-lost"
    """So many sign-ins and refusals were not written, for the database was away too long."""


@frozen
class AuditEvent:
    """One line of the audit.

    :ivar account_id: whose account it is about; ``None``: nobody's that we know.  The account
        may be gone by now.
    :ivar email: that account's then, or what a stranger called himself.
    :ivar address: where it came from; ``None``: from this machine's operator, or nobody knows.
    :ivar sign_in: how the one who did it had signed in.
    :ivar detail: what else there is to know, by name: texts, numbers, ids as text.  No secrets.
    """

    kind: AuditKind
    account_id: UUID | None = None
    email: str | None = None
    address: str | None = None
    sign_in: SignIn | None = None
    detail: dict[str, Any] = field(factory=dict)
    count: int = 1
    at: datetime | None = None
    """``None``: now."""
    id: int | None = None
    """``None``: not written yet."""
