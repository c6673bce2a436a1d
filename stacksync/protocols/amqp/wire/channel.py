"""A channel's two ends: who is told what arrives on it, and that the broker closed it."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define

from stacksync.protocols.amqp.wire.frames import Delivery


class ChannelClosed(Exception):
    """The broker closed a channel; says with which code and text.

    :ivar code: AMQP's reply code, for example 404.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code


@define(eq=False)
class ChannelHandler:
    """Who is told what arrives on a channel."""

    delivered: Callable[[Delivery], None] | None = None
    confirmed: Callable[[int, bool, bool], None] | None = None
    """Called with delivery tag, ``multiple``, and whether the broker took the message."""
    cancelled: Callable[[], None] | None = None
    closed: Callable[[ChannelClosed], None] | None = None
