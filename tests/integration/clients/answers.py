"""What a device is told, in one form for both protocols, so that tests can compare.

Items are dictionaries with the names of contracts/rest.md; what only one
protocol tells is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

Item = dict[str, Any]

ITEM_FIELDS = (
    *("id", "parent_id", "filename", "is_folder", "status", "modified_at"),
    *("version", "checksum", "size", "mimetype", "chunks"),
)

AMQP_NAMES = {
    "id": "id",
    "temp_id": "tempId",
    "parent_id": "parentId",
    "filename": "filename",
    "is_folder": "isFolder",
    "status": "status",
    "modified_at": "modifiedAt",
    "version": "version",
    "checksum": "checksum",
    "size": "size",
    "mimetype": "mimetype",
    "chunks": "chunks",
}
"""What contracts/objectmq.md calls these fields."""


class Refused(Exception):
    """The server refused a whole request.

    :ivar kind: the HTTP code, or the Java class without its package.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


@frozen
class Outcome:
    """What became of one item of a commit; ``item`` is what the server holds."""

    committed: bool
    reason: str | None
    problem: str | None
    item: Item | None


@frozen
class Answer:
    """The answer to a commit."""

    request_id: str
    revision: int
    quota_used: int
    outcomes: tuple[Outcome, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        """The items as the server holds them, of an answer in which nothing was refused."""
        assert all(outcome.committed for outcome in self.outcomes), self.outcomes
        return tuple(outcome.item for outcome in self.outcomes if outcome.item is not None)

    @property
    def item(self) -> Item:
        """The one item, which was committed."""
        (item,) = self.items
        return item

    @property
    def reasons(self) -> list[str | None]:
        """Why each item was refused; ``None`` for those that were not."""
        return [outcome.reason for outcome in self.outcomes]


@frozen
class Notification:
    """A commit that a device is told of; ``answer`` is ``None`` for a bare hint."""

    workspace_id: str
    revision: int
    answer: Answer | None


def to_amqp(item: Item) -> Item:
    """An item of a commit in the names of AMQP; unknown names pass."""
    return {AMQP_NAMES.get(name, name): value for name, value in item.items()}


def from_amqp(metadata: Mapping[str, Any]) -> Item:
    """An ``ItemMetadata``; fields left out are null."""
    return {name: metadata.get(AMQP_NAMES[name]) for name in ITEM_FIELDS}


def amqp_answer(told: Mapping[str, Any]) -> Answer:
    """A ``CommitNotification``."""
    return Answer(
        request_id=told["requestId"],
        revision=told["revision"],
        quota_used=told["usedQuota"],
        outcomes=tuple(
            Outcome(
                committed=info["commitSucceed"],
                reason=info.get("reason"),
                problem=info.get("problem"),
                # Without a version of its own the server gives back what was asked.
                item=from_amqp(info["metadata"]) if info.get("committedVersion") else None,
            )
            for info in told["items"]
        ),
    )


def http_answer(told: Mapping[str, Any]) -> Answer:
    """The body of an answer to ``POST /workspaces/:id/commits``."""
    return Answer(
        request_id=told["request_id"],
        revision=told["revision"],
        quota_used=told["quota_used"],
        outcomes=tuple(
            Outcome(each["committed"], each["reason"], each["problem"], each["metadata"])
            for each in told["items"]
        ),
    )
