"""``updateDevice``."""

from __future__ import annotations

from uuid import UUID

from stacksync.engine.devices import Devices
from stacksync.errors import DeviceNotFound, InvalidRequest
from stacksync.model import DeviceDescription
from stacksync.protocols.amqp.errors import EXCEPTIONS, ErrorNames
from stacksync.protocols.amqp.methods.method import Call, Method, Methods
from stacksync.protocols.fields import identity, text

ERRORS: ErrorNames = {
    DeviceNotFound: EXCEPTIONS + "DeviceNotUpdatedException",
    InvalidRequest: EXCEPTIONS + "DeviceNotValidException",
}

NAMES = {"name": "deviceName", "app_version": "appVersion"}


class DeviceMethods:
    """The method by which a device makes itself known."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices

    def methods(self) -> Methods:
        return {"updateDevice": Method(self._update_device, ERRORS, NAMES)}

    async def _update_device(self, call: Call) -> UUID:
        fields = call.fields
        device_id = identity(fields, "deviceId")
        description = DeviceDescription(
            name=text(fields, "deviceName"),
            os=text(fields, "os"),
            ip=text(fields, "ip"),
            app_version=text(fields, "appVersion"),
        )
        if device_id is None:
            request_id = text(fields, "requestId")
            registering = self._devices.register(
                call.principal, description, request_id=request_id or None
            )
            return (await registering).id
        return (await self._devices.update(call.principal, device_id, description)).id
