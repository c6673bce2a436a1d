"""What a store is to the one who runs it, besides what it is to the engine."""

from __future__ import annotations

from stacksync.interfaces import IBlobStore, IHealthCheck


class IStore(IBlobStore, IHealthCheck):
    """A blob store that is started and stopped with the service."""

    def start() -> None:
        """Get ready to work.

        :raises stacksync.errors.ConfigurationError: it never can with these settings.
        """

    async def stop() -> None:
        """Finish what is under way and let go of everything.  May be called twice.

        Every operation raises :class:`~stacksync.errors.Unavailable` from then on.
        """
