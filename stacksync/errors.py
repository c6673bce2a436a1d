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


class ParentNotFound(NotFound):
    noun = "folder"


class VersionNotFound(NotFound):
    noun = "version"


class ChunkNotFound(NotFound):
    noun = "chunk"


class UploadNotFound(NotFound):
    noun = "upload"


class ContainerNotFound(NotFound):
    noun = "container"


class ProposalNotFound(NotFound):
    noun = "share proposal"


class JobNotFound(NotFound):
    noun = "job"


class TokenNotFound(NotFound):
    noun = "token"


class ConsumerNotFound(NotFound):
    noun = "consumer"


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


class Conflict(StackSyncError):
    """What was asked does not fit what the server holds.

    :ivar current: the :class:`~stacksync.model.Item` that is in the way, or the
        present state of the one asked about; ``None`` where there is none to tell.
    """

    def __init__(self, message: str, current: object | None = None) -> None:
        super().__init__(message)
        self.current = current


class NameTaken(Conflict):
    """A live item of this name stands in the same folder."""


class StaleVersion(Conflict):
    """The item has changed since; nobody had said what version they meant."""


class VersionMismatch(Conflict):
    """The item is not at the version that the caller made a condition (``If-Match``)."""


class FolderCycle(Conflict):
    """A folder can't be moved into itself or below itself."""


class ContentEncrypted(Conflict):
    """The workspace is encrypted by its devices: the server can't make or read content in it."""


class ItemDeleted(Conflict):
    """The item is in the trash; its versions can be read, and it can be restored."""


class OffsetMismatch(Conflict):
    """A piece of an upload that does not start where the upload stands."""


class ChunkConflict(Conflict):
    """There is another chunk of this name: chunks never change."""


class NestedShare(Conflict):
    """A shared folder can't stand in another one, nor have one in it."""


class AlreadyAnswered(Conflict):
    """A share proposal that is not waiting any more: it was answered, withdrawn or has expired."""


class SharedFolder(Conflict):
    """What can't be done to a folder as long as it is shared."""


class ElsewhereNow(Conflict):
    """What this was meant for has moved to another workspace meanwhile: the same again will do."""


class ChecksumMismatch(StackSyncError):
    """What arrived is not what the sender's checksum says."""


class QuotaExceeded(StackSyncError):
    """The owner's quota does not allow this size."""


class TooLarge(StackSyncError):
    """More bytes than one file or request may have."""


class DamagedContent(StackSyncError):
    """The store does not hold what the metadata says: a chunk is missing or is not what it was."""


class IncompleteBody(StackSyncError):
    """The sender went away, or stopped sending, before the end of the content."""


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
