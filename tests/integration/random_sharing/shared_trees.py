"""What a user sees: its own items and those of the folders it shares, each where it is mounted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.integration.clients.answers import ITEM_FIELDS, Item
from tests.integration.clients.file_client import FileClient

Tree = dict[int, Item]
"""Live items by id."""

Told = dict[str, Any]


def walked(client: FileClient) -> Tree:
    """The tree as the listings of folders tell it, from the root on."""
    tree: Tree = {}
    folders: list[Item | None] = [None]
    for folder in folders:
        for item in client.contents(folder):
            assert item["id"] not in tree, f"listed twice: {item} and {tree[item['id']]}"
            assert item["parent_id"] == (folder and folder["id"]), f"in folder {folder}: {item}"
            tree[item["id"]] = told(item)
            if item["is_folder"]:
                folders.append(item)
    return tree


def gathered(client: FileClient) -> Tree:
    """The tree as the changes of every workspace since the beginning tell it."""
    workspaces = client.ask("GET", "/workspaces")["workspaces"]
    return placed(workspaces, {each["id"]: whole_state(client, each["id"]) for each in workspaces})


def whole_state(client: FileClient, workspace_id: str) -> Tree:
    """The items of a workspace, by its changes since the beginning."""
    changes = client.ask("GET", f"/workspaces/{workspace_id}/changes?since=0")
    return {item["id"]: item for item in changes["items"]}


def placed(workspaces: Iterable[Told], items: Mapping[str, Mapping[int, Item]]) -> Tree:
    """Put the items of several workspaces together, shared folders where they are mounted.

    :param items: by workspace, deleted ones too.
    """
    tree: Tree = {}
    mounts = []
    for workspace in workspaces:
        for item in items[workspace["id"]].values():
            if item["status"] == "DELETED":
                continue
            assert item["id"] not in tree, f"in two workspaces: {item} and {tree[item['id']]}"
            tree[item["id"]] = told(item)
        root_id = workspace["root_item_id"]
        if root_id is not None and root_id in tree:
            place = {"filename": workspace["name"], "parent_id": workspace["parent_item_id"]}
            tree[root_id] = {**tree[root_id], **place}
            mounts.append(root_id)
    for mount in mounts:
        if tree[mount]["parent_id"] not in tree:
            tree[mount]["parent_id"] = None
    return tree


def below(tree: Tree, folder_id: int) -> Tree:
    """What is in a folder and in its folders."""
    found: Tree = {}
    folders = [folder_id]
    for folder in folders:
        inside = {each["id"]: each for each in tree.values() if each["parent_id"] == folder}
        found.update(inside)
        folders.extend(inside)
    return found


def told(item: Item) -> Item:
    """What all ways of telling an item have in common."""
    return {name: item.get(name) for name in ITEM_FIELDS}


def difference(one: Tree, other: Tree) -> str:
    """What differs, for a person to read; empty if nothing does."""
    lines = []
    for identity in sorted(one.keys() | other.keys()):
        left, right = one.get(identity), other.get(identity)
        if left != right:
            lines.append(f"  {identity}:\n    {left}\n    {right}")
    return "\n".join(lines)


def assert_equal(what: str, one: Tree, other: Tree) -> None:
    """Fail with what differs only."""
    found = difference(one, other)
    assert not found, f"{what}:\n{found}"
