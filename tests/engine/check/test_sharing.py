"""What cannot be of a folder that is shared is found, and told in words.

The workspace is made by hand here, sound at first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_twisted
from attrs import define
from pytest_twisted import ensureDeferred

from stacksync.model import Item
from tests.engine.conftest import Person
from tests.engine.estate import Estate, estate

__all__ = ["estate"]


@define
class Share:
    """A folder of Anna's that Bert has mounted in his, with a file in it."""

    estate: Estate
    anna: Person
    bert: Person
    workspace_id: UUID
    folder: Item
    file: Item

    def change(self, sql: str, *arguments: object) -> None:
        self.estate.psql.rows(sql, *arguments)

    async def problems(self) -> list[str]:
        found = await self.estate.check(content=False)
        assert {each.owner for each in found} <= {self.anna.user.account.email}
        return [f"{each.kind}: {each.message}" for each in found]


@pytest_twisted.async_yield_fixture
async def share(estate: Estate) -> AsyncIterator[Share]:
    anna, bert = await estate.person(), await estate.person()
    folder = await estate.engine.items.create_folder(anna.principal, "Photos", None)
    file = await estate.upload(anna, "cat.jpg", b"cat", folder)
    workspace_id = UUID(
        str(
            estate.psql.value(
                "INSERT INTO workspace (owner_id, container, is_shared, root_item_id,"
                " latest_revision) VALUES (%s, 'shared', true, %s, 10) RETURNING id",
                anna.user.account.id,
                folder.id,
            )
        )
    )
    for person, role in ((anna, "owner"), (bert, "editor")):
        estate.psql.rows(
            "INSERT INTO membership (account_id, workspace_id, role, mount_name)"
            " VALUES (%s, %s, %s, 'Photos')",
            person.user.account.id,
            workspace_id,
            role,
        )
    estate.psql.rows("UPDATE workspace SET has_mounts = true WHERE NOT is_shared")
    for table in ("item", "item_version"):
        estate.psql.rows(f"UPDATE {table} SET workspace_id = %s", workspace_id)
    container = estate.container(anna)
    await estate.store.create_container("shared")
    for name in file.chunks:
        await estate.store.copy(container, name, "shared")
    yield Share(estate, anna, bert, workspace_id, folder, file)


@ensureDeferred
async def test_a_share_that_is_sound_is_found_so(share: Share) -> None:
    assert await share.problems() == []


@ensureDeferred
async def test_what_has_left_is_not_here(share: Share) -> None:
    share.change(
        "INSERT INTO departed_item (workspace_id, id, name, is_folder, status, version, revision,"
        " created_revision, size, checksum, chunks, device_id, modified_at)"
        " SELECT workspace_id, id, name, is_folder, 'DELETED', 1, 1, 1, 0, 0, '{}', device_id,"
        " modified_at FROM item WHERE id = %s",
        share.file.id,
    )
    assert await share.problems() == [
        "departed-item: 'cat.jpg' is said to have left for another workspace, but is here"
    ]


@ensureDeferred
async def test_a_share_consists_of_one_folder(share: Share) -> None:
    for table in ("item", "item_version"):
        share.change(
            f"UPDATE {table} SET parent_id = NULL, parent_version = NULL WHERE NOT is_folder"
        )
    assert await share.problems() == ["beside-root: 'cat.jpg' is not in the folder that is shared"]
    share.change("UPDATE workspace SET root_item_id = 4711 WHERE is_shared")
    assert "shared-root: it is shared, but has no folder that it consists of" in (
        await share.problems()
    )


@ensureDeferred
async def test_who_shares_does_so_with_somebody(share: Share) -> None:
    bert, anna = share.bert.user.account.id, share.anna.user.account.id
    share.change(
        "DELETE FROM membership WHERE account_id = %s AND workspace_id = %s",
        bert, share.workspace_id,
    )  # fmt: skip
    assert await share.problems() == ["shared-members: it is shared, but with nobody"]
    share.change(
        "UPDATE membership SET account_id = %s, role = 'editor' WHERE account_id = %s"
        " AND workspace_id = %s",
        bert, anna, share.workspace_id,
    )  # fmt: skip
    assert await share.problems() == ["shared-members: its owner takes no part in it"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            "UPDATE membership SET role = 'owner' WHERE role = 'editor'",
            "member-role: {bert} is not the owner, but has the role owner",
        ),
        (
            "UPDATE workspace SET has_mounts = false WHERE owner_id = '{bert_id}'",
            "mount: {bert} has it mounted as 'Photos', but in no workspace that is known to have"
            " mounts",
        ),
        (
            "UPDATE membership SET mount_parent_id = {folder} WHERE role = 'editor'",
            "mount: {bert} has it mounted as 'Photos' in a folder that is not their own",
        ),
        (
            "UPDATE workspace SET root_item_id = {folder} WHERE owner_id = '{anna_id}'"
            " AND NOT is_shared",
            "shared-root: it is not shared, but is said to consist of one folder",
        ),
    ],
)
@ensureDeferred
async def test_members_are_what_they_are_said_to_be(
    share: Share, change: str, problem: str
) -> None:
    facts = {
        "bert": share.bert.user.account.email,
        "bert_id": share.bert.user.account.id,
        "anna_id": share.anna.user.account.id,
        "folder": share.folder.id,
    }
    share.change(change.format(**facts))
    assert await share.problems() == [problem.format(**facts)]


@ensureDeferred
async def test_a_mount_has_a_name_of_its_own(share: Share) -> None:
    folder = await share.estate.engine.items.create_folder(share.bert.principal, "Mine", None)
    for table, column in (("item", "id"), ("item_version", "item_id")):
        share.change(f"UPDATE {table} SET name = 'Photos' WHERE {column} = %s", folder.id)
    assert await share.problems() == [
        f"mount: {share.bert.user.account.email} has it mounted as 'Photos', where something else"
        " has this name"
    ]
