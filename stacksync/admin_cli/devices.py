"""``stacksync-admin device``: what people have registered to synchronise with."""

from __future__ import annotations

from typing import Any

from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.output import Answer, instant_json, minute, table
from stacksync.engine import Engine
from stacksync.model import Device, Principal, SignIn


async def list_devices(engine: Engine, arguments: Arguments) -> Answer:
    emails = {each.id: each.email for each in await engine.accounts.list()}
    if arguments.email:
        account = await engine.accounts.by_email(arguments.email)
        devices = await engine.devices.list(Principal(account.id, SignIn.OPERATOR))
    else:
        devices = await engine.devices.of_all()
    rows = [("Id", "E-mail", "Name", "System", "Client", "Registered", "Seen")]
    rows += [
        (
            str(each.id),
            emails.get(each.account_id, ""),
            each.name,
            each.os or "",
            each.app_version or "",
            minute(each.created_at),
            minute(each.seen_at),
        )
        for each in devices
    ]
    lines = table(rows) if devices else ["There are no devices."]
    return Answer({"devices": [device_json(each, emails) for each in devices]}, lines)


async def revoke_device(engine: Engine, arguments: Arguments) -> Answer:
    assert arguments.device_id is not None
    device = await engine.devices.revoke_as_operator(arguments.device_id)
    return Answer(
        {"revoked": str(device.id)},
        [f"Device {device.id} ({device.name}) is revoked, and so are its tokens."],
    )


VERBS = {"list": list_devices, "revoke": revoke_device}


def device_json(device: Device, emails: dict[Any, str]) -> dict[str, Any]:
    return {
        "id": str(device.id),
        "account_id": str(device.account_id),
        "email": emails.get(device.account_id),
        "name": device.name,
        "os": device.os,
        "ip": device.ip,
        "app_version": device.app_version,
        "created_at": instant_json(device.created_at),
        "seen_at": instant_json(device.seen_at),
    }
