"""``/devices``: the devices of an account, as they describe themselves."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from stacksync.errors import DeviceNotFound
from stacksync.model import Device, DeviceDescription
from stacksync.protocols.fields import Fields, iso, text
from stacksync.protocols.http.answer import Answer, json_answer
from stacksync.protocols.http.body import given_request_id, identity_in_path, read_object
from stacksync.protocols.http.resource import ApiResource

if TYPE_CHECKING:
    from stacksync.engine.devices import Devices
    from stacksync.interfaces import IAuthenticator
    from stacksync.model import Principal
    from stacksync.protocols.http.request import ApiRequest

FIELDS = frozenset(["name", "os", "ip", "app_version"])


class DevicesResource(ApiResource):
    """``GET /devices``, ``POST /devices``."""

    def __init__(self, authenticator: IAuthenticator, devices: Devices) -> None:
        super().__init__(authenticator, {b"GET": self._list, b"POST": self._register})
        self._devices = devices
        self.put_variable("device", DeviceResource(authenticator, devices))

    async def _list(self, request: ApiRequest, principal: Principal) -> Answer:
        devices = await self._devices.list(principal)
        return json_answer({"devices": [encode_device(device) for device in devices]})

    async def _register(self, request: ApiRequest, principal: Principal) -> Answer:
        fields = read_object(request, FIELDS | {"request_id"})
        device = await self._devices.register(
            principal, read_description(fields), request_id=given_request_id(request, fields)
        )
        location = b"%s/%s" % (request.path, str(device.id).encode())
        return json_answer(encode_device(device), HTTPStatus.CREATED, ((b"Location", location),))


class DeviceResource(ApiResource):
    """``PUT /devices/:id``, ``DELETE /devices/:id``."""

    def __init__(self, authenticator: IAuthenticator, devices: Devices) -> None:
        super().__init__(authenticator, {b"PUT": self._update, b"DELETE": self._revoke})
        self._devices = devices

    async def _update(self, request: ApiRequest, principal: Principal) -> Answer:
        device_id = identity_in_path(request, "device", DeviceNotFound)
        description = read_description(read_object(request, FIELDS))
        return json_answer(
            encode_device(await self._devices.update(principal, device_id, description))
        )

    async def _revoke(self, request: ApiRequest, principal: Principal) -> Answer:
        device_id = identity_in_path(request, "device", DeviceNotFound)
        await self._devices.revoke(principal, device_id)
        return Answer(b"", HTTPStatus.NO_CONTENT)


def read_description(fields: Fields, prefix: str = "") -> DeviceDescription:
    return DeviceDescription(
        name=text(fields, "name", prefix),
        os=text(fields, "os", prefix),
        ip=text(fields, "ip", prefix),
        app_version=text(fields, "app_version", prefix),
    )


def encode_device(device: Device) -> dict[str, Any]:
    return {
        "id": device.id,
        "name": device.name,
        "os": device.os,
        "ip": device.ip,
        "app_version": device.app_version,
        "created_at": iso(device.created_at),
        "seen_at": iso(device.seen_at),
    }
