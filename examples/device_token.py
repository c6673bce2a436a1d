"""A token: what a device keeps instead of the password, and shows to the broker as well.

The password is needed once, to get one.  It is kept where only we can read it,
until it is refused: it has expired then, or somebody has revoked it.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field

from connections import Refused
from http_connection import HttpConnection
from remembering import Memory

LETS_IN = "sync"


@dataclass(frozen=True)
class DeviceToken:
    """The right of one device to act for its account."""

    account_id: str
    device_id: str
    secret: str = field(repr=False)


class TokenKeeper:
    """Keeps the token of one device of one person on one server.

    :param name: what to call the device.
    """

    def __init__(self, memory: Memory, url: str, email: str, name: str) -> None:
        self._memory = memory
        self._key = ("token", url, email, name)
        self._name = name

    def kept(self) -> DeviceToken | None:
        """The one that we have, ``None`` if there is none yet."""
        known = self._memory.recall(*self._key)
        return DeviceToken(**known) if known is not None else None

    def ask(self, connection: HttpConnection) -> DeviceToken:
        """Get another one, for the device that we have been until now if there is one.

        :param connection: signed in with the password.
        """
        account_id = connection.account["id"]
        known = self._memory.recall("device", account_id, self._name)
        new = {"device": {"name": self._name, "os": sys.platform}}
        try:
            told = connection.make_token(LETS_IN, {"device_id": known} if known else new)
        except Refused:
            if known is None:
                raise
            # That device may have been revoked.
            told = connection.make_token(LETS_IN, new)
        token = DeviceToken(told["account_id"], told["device_id"], told["token"])
        self._memory.remember(asdict(token), *self._key)
        self._memory.remember(token.device_id, "device", account_id, self._name)
        return token
