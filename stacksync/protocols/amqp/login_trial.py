"""Whether a broker lets somebody in, found out by trying.

Leaves nothing behind at the broker, and is no front-end: nothing is served on
the connection.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from attrs import frozen
from twisted.internet.defer import CancelledError

from stacksync.errors import Unavailable
from stacksync.protocols.amqp.broker import OneConnection
from stacksync.protocols.amqp.wire.address import Address
from stacksync.protocols.amqp.wire.channel import ChannelClosed, ChannelHandler
from stacksync.protocols.amqp.wire.connection import Connection
from stacksync.tls import ClientSecurity

HEARTBEAT = 30.0
GOODBYE = 2.0
LARGEST_BODY = 4096

# Reply codes of AMQP 0-9-1, 1.2: access-refused and not-allowed.
_LOGIN_REFUSED, _VHOST_REFUSED = "403 ", "530 "


class Verdict(Enum):
    """What a broker says to a login."""

    LET_IN = "let in"
    LOGIN_REFUSED = "login refused"
    VHOST_REFUSED = "virtual host refused"
    """The login is right, but not for this virtual host, or there is none of this name."""
    MAY_NOTHING = "may nothing"
    """Let in, but without the permissions that the service needs."""


@frozen
class Trial:
    """What came of a try.

    :ivar told: the broker's own words, if it refused.
    """

    verdict: Verdict
    told: str = ""


async def try_login(
    reactor: Any, address: Address, security: ClientSecurity | None = None, *, uses: bool = False
) -> Trial:
    """Log in, and leave again.

    :param security: whom we trust and who we are, with ``amqps``.
    :param uses: also do what takes the permissions to configure, write and read.
    :raises Unavailable: nobody answers there, or not as a broker whom we trust does.
    """
    connection = Connection(reactor, address.vhost, HEARTBEAT, LARGEST_BODY)
    try:
        await address.endpoint(reactor, security).connect(OneConnection(connection))
    except CancelledError:
        raise
    except Exception as error:
        raise Unavailable("broker", f"cannot connect to {address}: {error}") from error
    try:
        return await _logged_in(connection, address, uses)
    finally:
        await connection.say_goodbye(GOODBYE)


async def _logged_in(connection: Connection, address: Address, uses: bool) -> Trial:
    try:
        await connection.log_in(address.user, address.password)
    except Unavailable as error:
        if error.problem.startswith(_LOGIN_REFUSED):
            return Trial(Verdict.LOGIN_REFUSED, error.problem)
        if error.problem.startswith(_VHOST_REFUSED):
            return Trial(Verdict.VHOST_REFUSED, error.problem)
        raise Unavailable("broker", f"{address}: {error.problem}") from None
    if uses:
        try:
            await _use(connection)
        except ChannelClosed as closed:
            return Trial(Verdict.MAY_NOTHING, str(closed))
    return Trial(Verdict.LET_IN)


async def _use(connection: Connection) -> None:
    """Declare a queue of one's own, and bind it; it goes with the connection."""
    channel = await connection.open_channel(ChannelHandler())
    answered = connection.answered
    declared = await answered(channel.queue_declare(queue=b"", exclusive=True))
    await answered(
        channel.queue_bind(queue=declared.queue, exchange=b"amq.fanout", routing_key=b"")
    )
