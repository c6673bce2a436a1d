"""Whose turn a request takes: only told apart here, not proved.

Cheap, for every message passes through: nothing is looked up or decoded.  Who
names a false sender gains nothing but that one's turns.  Who the requests are
from is for ``identity`` to say.
"""

from __future__ import annotations

import re

from stacksync.protocols.amqp.wire.frames import Delivery

ACCOUNT_EXCHANGE = "rpc#"
"""What the name of an account's own request exchange begins with, before the account's id."""

LOOKED_AT = 64 * 1024
"""Bytes of a message in which its ``userId`` is sought."""

USER_ID = re.compile(rb'"userId"\s*:\s*"([0-9A-Fa-f-]{36})"')


def sender_by_login(delivery: Delivery) -> str:
    """Who the broker says has sent it: the login, or the account of the exchange.

    An account that sends by its id and by its e-mail counts as two.
    """
    login: str = delivery.properties.get("user_id", "")
    if not login and delivery.exchange.startswith(ACCOUNT_EXCHANGE):
        login = delivery.exchange[len(ACCOUNT_EXCHANGE) :]
    return login.lower()


def sender_by_message(delivery: Delivery) -> str:
    """Who the message says it is from; the queue of the answer, where it names nobody."""
    found = USER_ID.search(delivery.body, 0, LOOKED_AT)
    if found is not None:
        return found[1].decode("ascii").lower()
    queue: str = delivery.properties.get("reply_to", "")
    return queue
