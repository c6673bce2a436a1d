"""The seams between the layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from stacksync.events import Event
    from stacksync.model import Principal


class IEventSink(Interface):
    """A front-end's way to tell devices what happened."""

    name = Attribute("What to call this sink in the log (str).")

    async def announce(event: Event) -> None:
        """Tell the event to every device of this front-end that it concerns.

        Returns when the telling is as sure as this front-end can make it
        (AMQP: confirmed by the broker).

        :raises stacksync.errors.Unavailable: the front-end cannot tell anybody now.
        """


class IAuthenticator(Interface):
    """Proves who stands behind a pair of e-mail and password."""

    async def authenticate(email: str, password: str, address: str) -> Principal:
        """The principal that these credentials belong to.

        :param address: where the request came from, for slowing down guessers.
        :raises stacksync.errors.NotAuthenticated: unknown e-mail or wrong
            password; the two are told alike, and after a delay.
        :raises stacksync.errors.TooManyRequests: too many failures lately.
        """


class IHealthCheck(Interface):
    """A part that readiness depends on."""

    part = Attribute("What to call the part: ``database``, ``broker`` (str).")

    async def check() -> None:
        """Return if the part works now.

        :raises stacksync.errors.Unavailable: it does not; the message says why.
        """
