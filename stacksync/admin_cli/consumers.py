"""``stacksync-admin consumer``: the applications that may ask people for access."""

from __future__ import annotations

from typing import Any

from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.output import Answer, instant_json, minute, table
from stacksync.engine import Engine
from stacksync.model import Consumer

NO_CALLBACK = "none: people type a code"


async def add_consumer(engine: Engine, arguments: Arguments) -> Answer:
    assert arguments.name is not None
    added = await engine.oauth.consumers.add(arguments.name, arguments.callback)
    rows = [
        ("Name", added.name),
        ("Key", added.key),
        ("Secret", f"{added.secret}  (shown only this once)"),
        ("Callback", added.callback or NO_CALLBACK),
    ]
    return Answer(consumer_json(added) | {"secret": added.secret}, table(rows))


async def list_consumers(engine: Engine, _: Arguments) -> Answer:
    consumers = await engine.oauth.consumers.list()
    rows = [("Key", "Name", "Callback", "Since", "Revoked")]
    rows += [
        (
            each.key,
            each.name,
            each.callback or NO_CALLBACK,
            f"{each.created_at:%Y-%m-%d}",
            minute(each.revoked_at) if each.revoked_at is not None else "",
        )
        for each in consumers
    ]
    lines = table(rows) if consumers else ["There are none: stacksync-admin consumer add NAME"]
    return Answer({"consumers": [consumer_json(each) for each in consumers]}, lines)


async def revoke_consumer(engine: Engine, arguments: Arguments) -> Answer:
    revoked = await engine.oauth.consumers.revoke(arguments.key)
    return Answer(
        {"revoked": consumer_json(revoked)},
        [f"{revoked.name} has no access to anybody's files any more."],
    )


VERBS = {"add": add_consumer, "list": list_consumers, "revoke": revoke_consumer}


def consumer_json(consumer: Consumer) -> dict[str, Any]:
    return {
        "key": consumer.key,
        "name": consumer.name,
        "callback": consumer.callback,
        "created_at": instant_json(consumer.created_at),
        "revoked_at": instant_json(consumer.revoked_at),
    }
