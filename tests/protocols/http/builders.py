"""What a commit holds, with sensible values where a test doesn't care."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from stacksync.model import CommitResult, Item, ItemOutcome, ItemStatus, Refusal

NOBODYS = "00000000-0000-4000-8000-000000000000"
"""An id that nothing has; the same in every process, so that it may name a test."""

MODIFIED = "2026-11-21T05:27:00.123Z"

names = count(1)


def new_file(filename: str | None = None, /, **fields: Any) -> dict[str, Any]:
    """A new file, as a client commits it."""
    return {
        "version": 1,
        "status": "NEW",
        "filename": f"file {next(names)}.txt" if filename is None else filename,
        "is_folder": False,
        "size": 5,
        "checksum": 93061639,
        "mimetype": "text/plain",
        "chunks": ["chk-AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D-1"],
        "modified_at": MODIFIED,
        **fields,
    }


def new_folder(filename: str, temp_id: int, /, **fields: Any) -> dict[str, Any]:
    return {
        "temp_id": temp_id,
        "version": 1,
        "status": "NEW",
        "filename": filename,
        "is_folder": True,
        "modified_at": MODIFIED,
        **fields,
    }


def changed(metadata: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The next version of what the server told."""
    return {
        "id": metadata["id"],
        "parent_id": metadata["parent_id"],
        "version": metadata["version"] + 1,
        "status": "CHANGED",
        "modified_at": MODIFIED,
        **fields,
    }


def item(**fields: Any) -> Item:
    """An item as the engine has it."""
    defaults: dict[str, Any] = {
        "id": 7,
        "workspace_id": uuid4(),
        "version": 1,
        "revision": 1,
        "status": ItemStatus.NEW,
        "parent_id": None,
        "parent_version": None,
        "is_folder": False,
        "name": "notes.txt",
        "size": 5,
        "checksum": 93061639,
        "mimetype": "text/plain",
        "chunks": ("chk-1",),
        "device_id": uuid4(),
        "modified_at": datetime(2026, 11, 21, 5, 27, 0, 123000, UTC),
    }
    return Item(**{**defaults, **fields})


def commit_result(
    workspace_id: UUID,
    revision: int = 1,
    items: int = 1,
    refusal: Refusal | None = None,
    name: str = "notes.txt",
) -> CommitResult:
    """What the engine made of a commit."""
    outcome = ItemOutcome(refusal, item(workspace_id=workspace_id, name=name), None)
    return CommitResult(
        workspace_id=workspace_id,
        request_id=f"request {revision}",
        device_id=uuid4(),
        revision=revision,
        outcomes=(outcome,) * items,
        quota_limit=10**9,
        quota_used=5 * revision,
    )
