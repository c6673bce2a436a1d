"""Statements about devices."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg2.errors

from stacksync.db.connection import Row
from stacksync.db.database import Database, Transaction
from stacksync.errors import AccountNotFound, Conflict
from stacksync.model import Device, DeviceDescription

COLUMNS = "id, account_id, name, os, ip, app_version, created_at, seen_at"

INSERT = f"""
    INSERT INTO device (id, account_id, name, os, ip, app_version)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (id) DO UPDATE SET seen_at = now() WHERE device.revoked_at IS NULL
    RETURNING {COLUMNS}
"""


def device(row: Row) -> Device:
    """A device from the columns :data:`COLUMNS`."""
    return Device(*row)


class DeviceTable:
    """The ``device`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(
        self,
        account_id: UUID,
        name: str,
        description: DeviceDescription,
        device_id: UUID | None = None,
    ) -> Device:
        """Add a device; one that the account has already under this id is just seen again.

        :param device_id: left out, a new one.
        :raises AccountNotFound: the account is gone.
        :raises Conflict: the device that the account had under this id was revoked.
        """
        values = inserted(device_id or uuid4(), account_id, name, description)
        try:
            rows = await self._database.query("add device", INSERT, values)
        except psycopg2.errors.ForeignKeyViolation:
            raise AccountNotFound(account_id) from None
        if not rows:
            raise Conflict(f"device {device_id} was revoked: it has to be registered anew")
        return device(rows[0])

    async def add(
        self,
        transaction: Transaction,
        account_id: UUID,
        name: str,
        description: DeviceDescription,
    ) -> Device:
        """Add a device to an account that is there, with what else the transaction does."""
        values = inserted(uuid4(), account_id, name, description)
        return device((await transaction.query(INSERT, values))[0])

    async def update(
        self, account_id: UUID, device_id: UUID, description: DeviceDescription
    ) -> Device | None:
        """Set what is not ``None``, and when the device was seen; ``None`` if there is none."""
        rows = await self._database.query(
            "update device",
            f"""
            UPDATE device SET
                name = coalesce(%s, name), os = coalesce(%s, os), ip = coalesce(%s, ip),
                app_version = coalesce(%s, app_version), seen_at = now()
            WHERE id = %s AND account_id = %s AND revoked_at IS NULL RETURNING {COLUMNS}
            """,
            [
                *(description.name, description.os, description.ip, description.app_version),
                *(device_id, account_id),
            ],
            repeatable=True,
        )
        return device(rows[0]) if rows else None

    async def of_account(self, account_id: UUID) -> tuple[Device, ...]:
        rows = await self._database.query(
            "list devices",
            f"""
            SELECT {COLUMNS} FROM device WHERE account_id = %s AND revoked_at IS NULL
                ORDER BY created_at, id
            """,
            [account_id],
            repeatable=True,
        )
        return tuple(map(device, rows))

    async def by_id(self, device_id: UUID) -> Device | None:
        """Somebody's device, unless it was revoked."""
        rows = await self._database.query(
            "read device",
            f"SELECT {COLUMNS} FROM device WHERE id = %s AND revoked_at IS NULL",
            [device_id],
            repeatable=True,
        )
        return device(rows[0]) if rows else None

    async def all(self) -> tuple[Device, ...]:
        """Everybody's devices, oldest first."""
        rows = await self._database.query(
            "list all devices",
            f"SELECT {COLUMNS} FROM device WHERE revoked_at IS NULL ORDER BY created_at, id",
            repeatable=True,
        )
        return tuple(map(device, rows))

    async def within(
        self, transaction: Transaction, account_id: UUID, device_id: UUID
    ) -> Device | None:
        """A device of the account; ``None`` if there is none such, or it was revoked."""
        rows = await transaction.query(
            f"""
            SELECT {COLUMNS} FROM device
                WHERE id = %s AND account_id = %s AND revoked_at IS NULL
            """,
            [device_id, account_id],
        )
        return device(rows[0]) if rows else None

    async def revoke(self, transaction: Transaction, device_id: UUID) -> None:
        """Let a device do nothing any more; the row stays, for versions name it."""
        await transaction.query("UPDATE device SET revoked_at = now() WHERE id = %s", [device_id])


def inserted(
    device_id: UUID, account_id: UUID, name: str, description: DeviceDescription
) -> list[object]:
    """The values of :data:`INSERT`."""
    return [
        *(device_id, account_id, name),
        *(description.os, description.ip, description.app_version),
    ]
