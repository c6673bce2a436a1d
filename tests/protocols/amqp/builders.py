"""What the engine has and what clients send, with sensible values where a test doesn't care."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from stacksync.model import (
    Account,
    CommitResult,
    Item,
    ItemOutcome,
    ItemStatus,
    Proposal,
    ProposalState,
    Refusal,
    Role,
    Workspace,
)

WHEN = datetime(2026, 11, 21, 5, 27, 0, 123000, UTC)
MODIFIED = "2026-11-21T05:27:00.123Z"

numbers = count(1)


def new_file(filename: str | None = None, /, **fields: Any) -> dict[str, Any]:
    """A new file, as a client commits it."""
    return {
        "version": 1,
        "status": "NEW",
        "filename": f"file {next(numbers)}.txt" if filename is None else filename,
        "isFolder": False,
        "size": 5,
        "checksum": 93061639,
        "mimetype": "text/plain",
        "chunks": ["chk-AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D-1"],
        "modifiedAt": MODIFIED,
        **fields,
    }


def new_folder(filename: str, temp_id: int, /, **fields: Any) -> dict[str, Any]:
    """A new folder, which later items of the commit may name as their parent."""
    return {
        "tempId": temp_id,
        "version": 1,
        "status": "NEW",
        "filename": filename,
        "isFolder": True,
        "modifiedAt": MODIFIED,
        **fields,
    }


def next_version(metadata: dict[str, Any], /, **fields: Any) -> dict[str, Any]:
    """The next version of what the server told."""
    return {
        **metadata,
        "version": metadata["version"] + 1,
        "status": "CHANGED",
        "modifiedAt": MODIFIED,
        **fields,
    }


def account(**fields: Any) -> Account:
    defaults: dict[str, Any] = {
        "id": uuid4(),
        "email": "anna@example.org",
        "name": "Änne",
        "quota_limit": 1000,
        "quota_used": 35,
        "created_at": WHEN,
    }
    return Account(**{**defaults, **fields})


def workspace(**fields: Any) -> Workspace:
    defaults: dict[str, Any] = {
        "id": uuid4(),
        "name": "StackSync",
        "parent_item_id": None,
        "role": Role.OWNER,
        "owner": account(),
        "container": "container",
        "is_shared": False,
        "is_encrypted": False,
        "latest_revision": 0,
    }
    return Workspace(**{**defaults, **fields})


def proposal(**fields: Any) -> Proposal:
    defaults: dict[str, Any] = {
        "id": uuid4(),
        "item_id": 7,
        "workspace_id": uuid4(),
        "container": "container",
        "folder_name": "Fotos",
        "owner_id": uuid4(),
        "owner_name": "Änne",
        "owner_email": "anna@example.org",
        "email": "bert@example.org",
        "role": Role.EDITOR,
        "is_encrypted": False,
        "state": ProposalState.PENDING,
        "created_at": WHEN,
        "expires_at": WHEN,
    }
    return Proposal(**{**defaults, **fields})


def item(**fields: Any) -> Item:
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
        "modified_at": WHEN,
    }
    return Item(**{**defaults, **fields})


def commit_result(
    workspace_id: UUID,
    revision: int = 1,
    names: Iterable[str] = ("notes.txt",),
    refusal: Refusal | None = None,
) -> CommitResult:
    """What the engine made of a commit of files of these names."""
    return CommitResult(
        workspace_id=workspace_id,
        request_id=f"request {next(numbers)}",
        device_id=uuid4(),
        revision=revision,
        outcomes=tuple(
            ItemOutcome(refusal, item(workspace_id=workspace_id, name=name), None) for name in names
        ),
        quota_limit=1000,
        quota_used=35,
    )
