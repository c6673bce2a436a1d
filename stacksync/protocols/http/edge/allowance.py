"""What accounts and addresses may ask of this front-end at all, whatever it is.

How often, and how many bodies of files at a time.  Each instance counts for
itself.  How long a request may take and how large it may be is not decided
here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import define, field

from stacksync.auth.line import network_of
from stacksync.errors import TooManyRequests
from stacksync.protocols.http.edge.proxies import LOCAL
from stacksync.protocols.http.edge.rates import Buckets

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from stacksync.config import LimitsConfig
    from stacksync.model import Principal

BODY_RETRY = 1.0
"""Seconds after which one of the bodies under way may have come to its end."""

SHARE = 4
"""One account may have no more than this part of the connections under way, who could otherwise
take them all by reading slowly."""


@define(eq=False)
class Allowance:
    """Counts, and refuses what is too much.

    :param connections: how many there may be in all.
    """

    _clock: IReactorTime
    _limits: LimitsConfig
    _connections: int
    _addresses: Buckets = field(init=False)
    _accounts: Buckets = field(init=False)
    _bodies: dict[UUID, int] = field(init=False, factory=dict)
    _under_way: dict[int, int] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        limits = self._limits
        self._addresses = Buckets(
            self._clock, limits.address_rate, limits.address_burst, "from this address"
        )
        self._accounts = Buckets(
            self._clock, limits.account_rate, limits.account_burst, "of this account"
        )

    def request_from(self, address: str) -> None:
        """One request from an address, or from its /64 where that is IPv6.

        A UNIX socket is no address.

        :raises TooManyRequests: that were too many.
        """
        if address != LOCAL:
            self._addresses.take(network_of(address))

    def request_of(self, principal: Principal) -> None:
        """One request of an account.

        :raises TooManyRequests: that were too many.
        """
        self._accounts.take(counted_as(principal))

    def begin(self, principal: Principal) -> None:
        """A request of an account is under way, until :meth:`end` is called for it.

        :raises TooManyRequests: as many as may be are under way already.
        """
        who = counted_as(principal)
        under_way = self._under_way.get(who, 0)
        if under_way >= max(1, self._connections // SHARE):
            raise TooManyRequests(
                f"this account has {under_way} requests under way, as many as may be",
                retry_after=BODY_RETRY,
            )
        self._under_way[who] = under_way + 1

    def end(self, principal: Principal) -> None:
        """The answer to one of them is sent, or nobody waits for it any more."""
        who = counted_as(principal)
        left = self._under_way[who] - 1
        if left:
            self._under_way[who] = left
        else:
            del self._under_way[who]

    @contextmanager
    def body_of(self, account_id: UUID) -> Iterator[None]:
        """As long as this is open, a body of a file comes from an account.

        :raises TooManyRequests: as many as may be are coming already.
        """
        coming = self._bodies.get(account_id, 0)
        if coming >= self._limits.account_uploads:
            raise TooManyRequests(
                f"this account is sending {coming} bodies at the same time, as many as may be",
                retry_after=BODY_RETRY,
            )
        self._bodies[account_id] = coming + 1
        try:
            yield
        finally:
            left = self._bodies[account_id] - 1
            if left:
                self._bodies[account_id] = left
            else:
                del self._bodies[account_id]


def counted_as(principal: Principal) -> int:
    """Under which number an account's requests are counted.

    What comes by tokens is counted apart from what the account asks itself: whoever has taken
    a token could else use up everything, and keep its owner from revoking it.
    """
    # The hash of a UUID is Python's work each time, that of its number is not.
    number = principal.account_id.int
    return number if principal.is_account_itself else ~number
