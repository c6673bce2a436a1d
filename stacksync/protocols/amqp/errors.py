"""What our errors are called in Java: the one table of this front-end.

Old clients instantiate the class that ``error.type`` names
(contracts/objectmq.md, *Response*, *Methods*).
"""

from __future__ import annotations

from collections.abc import Mapping

from stacksync.errors import AccountNotFound, NotAuthenticated, StackSyncError, Unavailable
from stacksync.protocols.amqp.publisher import MessageRefused

EXCEPTIONS = "com.stacksync.commons.exceptions."
ILLEGAL_ARGUMENT = "java.lang.IllegalArgumentException"
NO_SUCH_METHOD = "java.lang.NoSuchMethodException"
RUNTIME = "java.lang.RuntimeException"

ErrorNames = Mapping[type[StackSyncError], str]

GENERAL: ErrorNames = {
    AccountNotFound: EXCEPTIONS + "UserNotFoundException",
    NotAuthenticated: EXCEPTIONS + "UserNotFoundException",
    Unavailable: RUNTIME,
    MessageRefused: RUNTIME,
}
"""For all methods; a method's own table goes first."""


class MethodNotFound(StackSyncError):
    """We have no method of this name."""


class NoWorkspacesFound(StackSyncError):
    """The account has no workspaces, or there is no such account."""


def java_name(error: StackSyncError, own: ErrorNames) -> str:
    """The Java class that stands for an error.

    :param own: the names that the method called gives to errors.
    """
    for names in (own, GENERAL):
        for kind in type(error).__mro__:
            if kind in names:
                return names[kind]
    return NO_SUCH_METHOD if isinstance(error, MethodNotFound) else ILLEGAL_ARGUMENT
