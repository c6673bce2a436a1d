"""How much is logged.

Where the log goes is twistd's business (``--logfile``, ``--syslog``,
``--logger``); modules log through ``twisted.logger.Logger`` and need nothing
from here.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    LogPublisher,
    globalLogPublisher,
)


def limit_level(level: str, publisher: LogPublisher = globalLogPublisher) -> Callable[[], None]:
    """Keep events less grave than a level from everybody who observes the log now.

    Call it once logging has begun, that is when the service starts: twistd
    has no other way to put a filter in front of the observer that its own
    options chose.  Observers added later get everything.

    :param level: ``debug``, ``info``, ``warn``, ``error`` or ``critical``.
    :returns: a function that puts the observers back as they were.
    """
    predicate = LogLevelFilterPredicate(LogLevel.levelWithName(level))
    replaced = []
    # The publisher tells nobody who observes it, so this one private name is needed.
    for observer in list(publisher._observers):
        limited = FilteringLogObserver(observer, [predicate])
        publisher.removeObserver(observer)
        publisher.addObserver(limited)
        replaced.append((limited, observer))

    def restore() -> None:
        for limited, observer in replaced:
            publisher.removeObserver(limited)
            publisher.addObserver(observer)

    return restore
