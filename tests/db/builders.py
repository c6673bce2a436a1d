"""Somebody with an account, a device and a workspace, and things to commit there."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from attrs import define, field, frozen

from stacksync.db.accounts import AccountTable
from stacksync.db.commits import CommitTable, ReadyRequest, RequestRefused
from stacksync.db.database import Database
from stacksync.db.devices import DeviceTable
from stacksync.db.workspaces import WorkspaceTable
from stacksync.model import (
    Account,
    CommitRequest,
    CommitResult,
    DeviceDescription,
    Item,
    ItemChange,
    ItemStatus,
    Refusal,
)

NOON = datetime(2026, 11, 21, 12, 0, 0, 123000, tzinfo=UTC)

_numbers = count(1)


def number() -> int:
    """One that nobody has had before."""
    return next(_numbers)


def new(name: str, parent: Item | int | None = None, **fields: Any) -> ItemChange:
    """A new file, of 10 bytes in one chunk unless said otherwise."""
    values = {"size": 10, "checksum": -7, "mimetype": "text/plain", "chunks": ("chk-1",), **fields}
    return ItemChange(
        status=ItemStatus.NEW,
        version=1,
        modified_at=NOON,
        name=name,
        parent_id=id_of(parent),
        is_folder=False,
        **values,
    )


def folder(name: str, parent: Item | int | None = None, **fields: Any) -> ItemChange:
    """A new folder."""
    return ItemChange(
        status=ItemStatus.NEW,
        version=1,
        modified_at=NOON,
        name=name,
        parent_id=id_of(parent),
        is_folder=True,
        **fields,
    )


def change(item: Item, status: ItemStatus = ItemStatus.CHANGED, **fields: Any) -> ItemChange:
    """The next version of an item, in the same place unless said otherwise."""
    values = {"version": item.version + 1, "parent_id": item.parent_id, **fields}
    return ItemChange(status=status, id=item.id, modified_at=NOON, **values)


def rename(item: Item, name: str) -> ItemChange:
    return change(item, ItemStatus.RENAMED, name=name)


def move(item: Item, parent: Item | int | None, **fields: Any) -> ItemChange:
    return change(item, ItemStatus.MOVED, parent_id=id_of(parent), **fields)


def delete(item: Item, **fields: Any) -> ItemChange:
    return change(item, ItemStatus.DELETED, **fields)


def id_of(item: Item | int | None) -> int | None:
    return item.id if isinstance(item, Item) else item


@frozen
class User:
    account: Account
    device_id: UUID
    workspace_id: UUID


@define
class World:
    """People who commit to one database, below the engine."""

    database: Database
    accounts: AccountTable = field(init=False)
    devices: DeviceTable = field(init=False)
    workspaces: WorkspaceTable = field(init=False)
    commits: CommitTable = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.accounts = AccountTable(self.database)
        self.devices = DeviceTable(self.database)
        self.workspaces = WorkspaceTable(self.database)
        self.commits = CommitTable(self.database)

    async def user(self, quota: int = 10**9) -> User:
        email = f"user-{number()}@example.org"
        account = await self.accounts.insert(email, "Änne", quota, None, "StackSync")
        (workspace,) = await self.workspaces.of_account(account.id)
        return User(account, await self.device(account), workspace.id)

    async def device(self, account: Account) -> UUID:
        device = await self.devices.insert(account.id, "laptop", DeviceDescription())
        return device.id

    async def workspace(self, owner: User, role: str = "owner", of: User | None = None) -> UUID:
        """Another workspace of an owner; ``of``: the member with this role, if not the owner."""
        rows = await self.database.query(
            "add workspace",
            """
            WITH w AS (INSERT INTO workspace (owner_id, container)
                VALUES (%s, gen_random_uuid()::text) RETURNING id),
            m AS (INSERT INTO membership (account_id, workspace_id, role, mount_name)
                SELECT %s, id, %s, 'shared' FROM w)
            SELECT id FROM w
            """,
            [owner.account.id, (of or owner).account.id, role],
        )
        return UUID(str(rows[0][0]))

    async def quota_used(self, user: User) -> int:
        account = await self.accounts.by_id(user.account.id)
        assert account is not None
        return account.quota_used

    async def try_to(
        self,
        user: User,
        *changes: ItemChange,
        request_id: str | None = None,
        workspace_id: UUID | None = None,
        device_id: UUID | None = None,
        parents: dict[int, int] | None = None,
        problems: dict[int, str] | None = None,
    ) -> CommitResult | RequestRefused:
        """The answer to a commit.

        :param parents: place of a change to the place of its parent's.
        :param problems: place of a change to what is wrong with it.
        """
        ready = ready_request(
            user, *changes, request_id=request_id, workspace_id=workspace_id, device_id=device_id,
            parents=parents, problems=problems,
        )  # fmt: skip
        (answer,) = await self.commits.commit([ready])
        return answer

    async def commit(self, user: User, *changes: ItemChange, **options: Any) -> CommitResult:
        """What became of a commit that is not refused as a whole."""
        answer = await self.try_to(user, *changes, **options)
        assert isinstance(answer, CommitResult), answer
        return answer

    async def items(self, user: User, *changes: ItemChange, **options: Any) -> list[Item]:
        """The items that a commit made, of which nothing is refused."""
        result = await self.commit(user, *changes, **options)
        return [committed(outcome) for outcome in result.outcomes]

    async def item(self, user: User, change: ItemChange, **options: Any) -> Item:
        (item,) = await self.items(user, change, **options)
        return item


def ready_request(
    user: User,
    *changes: ItemChange,
    request_id: str | None = None,
    workspace_id: UUID | None = None,
    device_id: UUID | None = None,
    parents: dict[int, int] | None = None,
    problems: dict[int, str] | None = None,
) -> ReadyRequest:
    """A request of a user, by default with an id of its own."""
    request = CommitRequest(
        workspace_id=workspace_id or user.workspace_id,
        device_id=device_id or user.device_id,
        request_id=request_id or f"request-{number()}",
        changes=changes,
    )
    return ReadyRequest(user.account.id, request, parents or {}, problems or {})


def committed(outcome: Any) -> Item:
    assert outcome.refusal is None, outcome
    assert outcome.item is not None
    item: Item = outcome.item
    return item


def refusals(answer: CommitResult) -> list[Refusal | None]:
    return [outcome.refusal for outcome in answer.outcomes]
