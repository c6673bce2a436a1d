"""Who takes part: accounts, their devices, and on whose behalf an operation runs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import frozen


class SignIn(StrEnum):
    """How a principal proved who it is."""

    PASSWORD = "password"
    BROKER = "broker"
    MESSAGE = "message"
    KEYSTONE = "keystone"
    OPERATOR = "operator"


@frozen
class Principal:
    """On whose behalf an operation runs."""

    account_id: UUID
    sign_in: SignIn
    device_id: UUID | None = None


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
