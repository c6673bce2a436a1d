"""What can go wrong, in the domain's own words.

Raised by the lower layers and mapped to each protocol's codes by one table
per front-end.  Nothing here knows HTTP codes, Java class names or SQLSTATEs.
The message of an error is meant for the person or program that made the
request: it names what and where, and never holds a secret.
"""

from __future__ import annotations

from uuid import UUID


class StackSyncError(Exception):
    """Base of every error that a caller is meant to see."""


class ConfigurationError(StackSyncError):
    """The operator's settings are wrong; the message names file, line and option."""


class InvalidRequest(StackSyncError):
    """A request that can never be right as it stands.

    :ivar field: the parameter at fault, in the caller's own notation
        (``items[3].filename``).
    :ivar problem: what is wrong with it.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class NotAuthenticated(StackSyncError):
    """Nobody, or nobody we know, made this request."""


class NotFound(StackSyncError):
    """There is no such thing, or it is not the caller's: the two look alike."""

    noun = "object"

    def __init__(self, identity: object) -> None:
        super().__init__(f"no such {self.noun}: {identity}")
        self.identity = identity


class AccountNotFound(NotFound):
    noun = "account"


class DeviceNotFound(NotFound):
    noun = "device"


class WorkspaceNotFound(NotFound):
    noun = "workspace"


class ItemNotFound(NotFound):
    noun = "item"


class Forbidden(StackSyncError):
    """The caller may see this thing, but may not do that to it."""


class EmailTaken(StackSyncError):
    """Another account has this e-mail, whatever its case."""

    def __init__(self, email: str) -> None:
        super().__init__(f"an account with the e-mail {email} exists already")
        self.email = email


class RequestReused(StackSyncError):
    """A request id that this device has used before, for a different batch."""

    def __init__(self, request_id: str, recorded: int, received: int) -> None:
        super().__init__(
            f"request {request_id} was committed before with another batch,"
            f" of {recorded} items; this one has {received}"
        )
        self.request_id = request_id


class CursorExpired(StackSyncError):
    """Changes since this revision are not kept (any more): start from the whole state.

    :ivar oldest: the smallest revision that changes can be asked since.
    :ivar latest: the workspace's newest revision.
    """

    def __init__(self, workspace_id: UUID, since: int, oldest: int, latest: int) -> None:
        super().__init__(
            f"workspace {workspace_id} keeps changes since revision {oldest} up to {latest}, "
            f"not since {since}: ask for the whole state"
        )
        self.oldest = oldest
        self.latest = latest


class TooManyRequests(StackSyncError):
    """Slow down.

    :ivar retry_after: seconds to wait before the next try.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(StackSyncError):
    """A part that we need is away; the same request may succeed later.

    :ivar part: which part, for example ``database`` or ``broker``.
    """

    def __init__(self, part: str, problem: str) -> None:
        super().__init__(f"{part}: {problem}")
        self.part = part
        self.problem = problem


class Overloaded(Unavailable):
    """A part is there, but did not manage this in time; trying for ever would not help."""


class SchemaMismatch(StackSyncError):
    """The database's schema is older or newer than this program."""
