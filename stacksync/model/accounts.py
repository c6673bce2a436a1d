"""Who takes part: accounts, their devices, and on whose behalf an operation runs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import field, frozen


class SignIn(StrEnum):
    """How a principal proved who it is."""

    PASSWORD = "password"
    TOKEN = "token"
    """A bearer token that this service has given to a device."""
    OAUTH = "oauth"
    """A request that an application has signed (RFC 5849)."""
    KEYSTONE = "keystone"
    """A token of the identity service's."""
    BROKER = "broker"
    MESSAGE = "message"
    OPERATOR = "operator"


class Scope(StrEnum):
    """What a sign-in lets its bearer do."""

    SYNC = "sync"
    READ_ONLY = "read-only"


@frozen
class Principal:
    """On whose behalf an operation runs.

    :ivar scope: what the sign-in allows at the most, whatever the account may do.
    :ivar grant_id: what the sign-in hangs on: a token's id, or the one that a password
        got when it was set.  It ends with that.  ``None``: on nothing that we keep.
    :ivar expires_at: when the sign-in ends by itself, if it does.
    :ivar address: where the request came from, for the audit.
    """

    account_id: UUID
    sign_in: SignIn
    device_id: UUID | None = None
    scope: Scope = Scope.SYNC
    grant_id: UUID | None = None
    expires_at: datetime | None = None
    address: str | None = field(default=None, eq=False)

    def acting(self, device_id: UUID | None, address: str) -> Principal:
        """The same one, on a device and from an address."""
        # Each request does this, and attrs.evolve takes several times as long.
        return Principal(
            self.account_id,
            self.sign_in,
            device_id,
            self.scope,
            self.grant_id,
            self.expires_at,
            address,
        )

    @property
    def is_account_itself(self) -> bool:
        """Whether the person proved to be the account's, rather than hold a part of its rights.

        Who holds a token can't make or take away others.
        """
        return self.sign_in in (SignIn.PASSWORD, SignIn.KEYSTONE, SignIn.OPERATOR)


@frozen
class Account:
    id: UUID
    email: str
    name: str
    quota_limit: int
    quota_used: int
    created_at: datetime
    identity_id: str | None = None
    """The user's id in the identity service (Keystone), if it has one there."""

    @property
    def quota_left(self) -> int:
        """Bytes that may still be added; 0 where the limit was set below what is used."""
        return max(0, self.quota_limit - self.quota_used)


@frozen
class DeviceDescription:
    """What a device says of itself; ``None`` leaves a known value as it is."""

    name: str | None = None
    os: str | None = None
    ip: str | None = None
    app_version: str | None = None


@frozen
class Device:
    id: UUID
    account_id: UUID
    name: str
    os: str | None
    ip: str | None
    app_version: str | None
    created_at: datetime
    seen_at: datetime
