"""Tells twistd of its ``stacksync`` subcommand; whatever that does is in ``stacksync.service``.

There must be no ``__init__.py`` beside or above this file: ``twisted.plugins``
is Twisted's package, which takes in this directory.
"""

from __future__ import annotations

from twisted.application.service import ServiceMaker

service_maker = ServiceMaker(
    "StackSync synchronisation service",
    "stacksync.service",
    "Keep devices in step: one metadata engine behind AMQP and HTTP.",
    "stacksync",
)
