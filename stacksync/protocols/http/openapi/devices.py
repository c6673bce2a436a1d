"""``/devices``, described."""

from __future__ import annotations

from stacksync.protocols.http.openapi.headers import LOCATION
from stacksync.protocols.http.openapi.parameters import API, shared
from stacksync.protocols.http.openapi.parts import (
    Operation,
    Path,
    answer,
    json_body,
    link,
    parameter,
    record,
    schema,
)
from stacksync.protocols.http.openapi.problems import json_problems, problems
from stacksync.protocols.http.openapi.values import UUID, list_of

EXAMPLE = {"name": "phone", "os": "Android 18", "app_version": "1.0"}

LIST = Operation(
    "listDevices",
    "The devices of the account, oldest first",
    {
        200: answer("All of them.", record({"devices": list_of(schema("Device"))})),
        **problems(),
    },
    parameters=(API,),
)
REGISTER = Operation(
    "registerDevice",
    "Register a device",
    {
        201: answer(
            "The device, with the id that the server gave it.",
            schema("Device"),
            headers={"Location": LOCATION},
            links={
                "update": link("updateDevice", "Describe it anew.", device="$response.body#/id")
            },
        ),
        **json_problems(),
    },
    parameters=(API, shared("IdempotencyKey")),
    description="A client registers once and keeps the id: commits name it, and other writes may"
    " name it in `StackSync-Device`. A repeat with the same `Idempotency-Key` is the same device.",
    body=json_body(schema("NewDevice"), EXAMPLE),
)
UPDATE = Operation(
    "updateDevice",
    "Describe a device anew",
    {200: answer("The device.", schema("Device")), **json_problems(404)},
    parameters=(API,),
    description="What is left out, or null, stays as it is. A device's token describes that device"
    " alone; another gets 403.",
    body=json_body(schema("DeviceDescription"), EXAMPLE),
)
REVOKE = Operation(
    "revokeDevice",
    "Revoke a device that was lost, or is used no more",
    {
        204: answer(
            "It can do nothing any more and is listed no more: its tokens are revoked, the event"
            " streams and connections to the broker that it has open end."
        ),
        **problems(404, 409),
    },
    parameters=(API,),
    description="A device's own token may revoke it; others take the password. 409: it is the one"
    " that stands for requests without a device.",
)
DEVICE_IN_PATH = parameter(
    "path",
    "device",
    UUID,
    "The id of one of the account's devices.",
    example="a9b5503c-f329-4537-a9b8-7b3f7b629885",
)

PATHS = [
    Path("/api/devices", "devices", {"get": LIST, "post": REGISTER}),
    Path("/api/devices/{device}", "devices", {"put": UPDATE, "delete": REVOKE}, (DEVICE_IN_PATH,)),
]
