"""Statements about devices."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg2.errors

from stacksync.db.connection import Row
from stacksync.db.database import Database
from stacksync.errors import AccountNotFound
from stacksync.model import Device, DeviceDescription

COLUMNS = "id, account_id, name, os, ip, app_version, created_at, seen_at"


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
        """
        try:
            rows = await self._database.query(
                "add device",
                f"""
                INSERT INTO device (id, account_id, name, os, ip, app_version)
                VALUES (%s, %s, %s, %s, %s, %s)
                ON CONFLICT (id) DO UPDATE SET seen_at = now() RETURNING {COLUMNS}
                """,
                [
                    *(device_id or uuid4(), account_id, name),
                    *(description.os, description.ip, description.app_version),
                ],
            )
        except psycopg2.errors.ForeignKeyViolation:
            raise AccountNotFound(account_id) from None
        return device(rows[0])

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
            WHERE id = %s AND account_id = %s RETURNING {COLUMNS}
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
            f"SELECT {COLUMNS} FROM device WHERE account_id = %s ORDER BY created_at, id",
            [account_id],
            repeatable=True,
        )
        return tuple(map(device, rows))
