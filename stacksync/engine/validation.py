"""What names, sizes and requests may be, whoever sends them.

Front-ends decode types; the rules of the domain are here, once, for all of
them (contracts/objectmq.md, *Types*; docs/architecture, *Data model*).  Nothing
here looks at the database.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from stacksync.errors import InvalidRequest
from stacksync.model import CommitRequest, DeviceDescription, ItemChange, ItemStatus

NAME_BYTES = 255
TEXT_CHARACTERS = 1000
REQUEST_ID_BYTES = 128
EMAIL_CHARACTERS = 254
INT64 = 2**63
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 30, tzinfo=UTC)


class Limits(Protocol):
    """What the operator allows; ``stacksync.config`` has it."""

    @property
    def items_per_commit(self) -> int: ...
    @property
    def chunks_per_item(self) -> int: ...


def name_problem(name: str) -> str | None:
    """Why this cannot be the name of an item or a chunk, or ``None``."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return "is not well-formed Unicode"
    if not name:
        return "is empty"
    if length > NAME_BYTES:
        return f"has {length} bytes in UTF-8; {NAME_BYTES} are allowed"
    if "/" in name or "\0" in name:
        return "holds a slash or a NUL"
    if name in (".", ".."):
        return f"cannot be {name!r}"
    return None


def text_problem(text: str, longest: int = TEXT_CHARACTERS) -> str | None:
    """Why this cannot be stored as a text of at most so many characters, or ``None``."""
    if len(text) > longest:
        return f"has {len(text)} characters; {longest} are allowed"
    if "\0" in text:
        return "holds a NUL"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "is not well-formed Unicode"
    return None


def check_text(field: str, text: str | None, longest: int = TEXT_CHARACTERS) -> None:
    """:raises InvalidRequest: the text cannot be stored."""
    problem = text_problem(text, longest) if text is not None else None
    if problem is not None:
        raise InvalidRequest(field, problem)


def check_name(field: str, name: str) -> None:
    """:raises InvalidRequest: nothing can have this name."""
    problem = name_problem(name)
    if problem is not None:
        raise InvalidRequest(field, problem)


def check_email(email: str) -> None:
    """:raises InvalidRequest: this is no e-mail address that we would keep."""
    local, _, domain = email.rpartition("@")
    check_text("email", email, EMAIL_CHARACTERS)
    if not local or not domain or any(c.isspace() or not c.isprintable() for c in email):
        raise InvalidRequest("email", f"{email!r} is not an e-mail address")


def check_instant(field: str, moment: datetime | None) -> None:
    """:raises InvalidRequest: no item can have been modified then."""
    if moment is not None and not EARLIEST < moment < LATEST:
        raise InvalidRequest(field, "is out of range")


def check_device(description: DeviceDescription, prefix: str = "") -> None:
    """:raises InvalidRequest: a part of the description cannot be stored."""
    check_text(f"{prefix}name", description.name)
    check_text(f"{prefix}os", description.os)
    check_text(f"{prefix}ip", description.ip)
    check_text(f"{prefix}app_version", description.app_version)


def check_request_id(request_id: str) -> None:
    """:raises InvalidRequest: it cannot be kept, or not be told on every protocol."""
    if not request_id:
        raise InvalidRequest("request_id", "is empty")
    check_text("request_id", request_id)
    if len(request_id.encode()) > REQUEST_ID_BYTES:
        raise InvalidRequest("request_id", f"has more than {REQUEST_ID_BYTES} bytes in UTF-8")


def check_request(request: CommitRequest, limits: Limits) -> None:
    """Check a commit as a whole.

    :raises InvalidRequest: there is nothing, or too much, in it, or no usable id.
    """
    check_request_id(request.request_id)
    if not request.changes:
        raise InvalidRequest("items", "is empty")
    check_item_count(len(request.changes), limits.items_per_commit)


def check_item_count(count: int, most: int) -> None:
    """For front-ends as well, which need not decode what is too much.

    :raises InvalidRequest: a commit may not have so many items.
    """
    if count > most:
        raise InvalidRequest("items", f"has {count} items; {most} are allowed")


def change_problem(change: ItemChange, limits: Limits) -> str | None:
    """Why no item can become this, or ``None``; names the field."""
    if change.id is None:
        if change.status is not ItemStatus.NEW:
            return f"status: a new item, without id, has status NEW, not {change.status.value}"
        if change.version != 1:
            return f"version: a new item has version 1, not {change.version}"
        if change.name is None:
            return "name: a new item needs one"
    elif change.id <= 0 or change.id >= INT64:
        return f"id: {change.id} is not an item's id"
    if not 0 < change.version < INT64:
        return f"version: {change.version} is not between 1 and 2^63 - 1"
    if change.parent_id is not None and not -INT64 <= change.parent_id < INT64:
        return f"parent_id: {change.parent_id} is not a 64-bit integer"
    if change.size is not None and not 0 <= change.size < INT64:
        return f"size: {change.size} is not between 0 and 2^63 - 1"
    if change.checksum is not None and not -INT64 <= change.checksum < INT64:
        return f"checksum: {change.checksum} is not a signed 64-bit integer"
    if not EARLIEST < change.modified_at < LATEST:
        return "modified_at: is out of range"
    return text_problems(change, limits)


def text_problems(change: ItemChange, limits: Limits) -> str | None:
    if change.name is not None:
        problem = name_problem(change.name)
        if problem is not None:
            return f"name: {problem}"
    if change.mimetype is not None:
        problem = text_problem(change.mimetype)
        if problem is not None:
            return f"mimetype: {problem}"
    if change.chunks:
        if len(change.chunks) > limits.chunks_per_item:
            return f"chunks: {len(change.chunks)} of them; {limits.chunks_per_item} are allowed"
        for place, chunk in enumerate(change.chunks):
            problem = name_problem(chunk)
            if problem is not None:
                return f"chunks[{place}]: {problem}"
    return None


def parent_ordinals(changes: tuple[ItemChange, ...]) -> tuple[dict[int, int], dict[int, str]]:
    """Which change makes the parent of which, and which temporary ids are wrong.

    :returns: place of a change to the place of its parent's, both from 0; and
        place of a change to its problem.
    """
    if all(change.temp_id is None for change in changes):
        return {}, {}
    made: dict[int, int] = {}
    parents: dict[int, int] = {}
    problems: dict[int, str] = {}
    for place, change in enumerate(changes):
        if change.parent_id is not None and change.parent_id in made:
            parents[place] = made[change.parent_id]
        if change.temp_id is None or change.id is not None:
            continue
        if change.temp_id in made:
            problems[place] = f"temp_id: {change.temp_id} names an earlier item of this commit"
        else:
            made[change.temp_id] = place
    return parents, problems
