"""A workspace as plain Python: what a commit should do to it, said as simply as possible."""

from __future__ import annotations

from attrs import define, evolve, field, frozen

from stacksync.model import ItemChange, ItemStatus, Refusal


@frozen
class Node:
    """An item of the model."""

    id: int
    name: str
    parent: int | None
    is_folder: bool
    size: int
    version: int
    revision: int
    deleted: bool = False
    went_with: int | None = field(default=None, eq=False)
    """The folder whose deletion took it along, which no front-end tells."""


State = dict[int, Node]


@define
class Tree:
    """All items that there ever were, by id, and what they were at each revision.

    :ivar refused: why each change of the last batch was refused, if it was.
    """

    quota: int
    nodes: State = field(factory=dict)
    revision: int = 0
    past: list[State] = field(factory=lambda: [{}])
    refused: list[Refusal | None] = field(factory=list)
    _touched: list[Node] = field(factory=list)
    _made: dict[int, int | None] = field(factory=dict)

    @property
    def used(self) -> int:
        return sum(node.size for node in self.nodes.values() if not node.deleted)

    @property
    def live(self) -> State:
        return {node.id: node for node in self.nodes.values() if not node.deleted}

    def commit(self, changes: tuple[ItemChange, ...], new_ids: list[int | None]) -> list[Node]:
        """Apply a batch; the items that went along with a deleted folder.

        :param new_ids: the id that each change was given, if it made an item.
        :raises AssertionError: an id was given to what should have been refused, or not.
        """
        self._touched = []
        self.refused = []
        before = dict(self.nodes)
        self._made = {}
        for change, new_id in zip(changes, new_ids, strict=True):
            refusal = self._apply(change, new_id)
            self.refused.append(refusal)
            if change.temp_id is not None:
                self._made[change.temp_id] = new_id if refusal is None else None
        if self.nodes != before:
            self.revision += 1
            self.past.append(dict(self.nodes))
        return self._touched

    def _apply(self, change: ItemChange, new_id: int | None) -> Refusal | None:
        coming = self.revision + 1
        node = self.nodes[change.id] if change.id is not None else None
        if node is not None:
            deletes = change.status is ItemStatus.DELETED
            if deletes and node.deleted and node.revision == coming:
                return None
            if change.version != node.version + 1:
                return Refusal.STALE
            if deletes:
                self._delete(node, coming)
                return None
            if change.is_folder not in (None, node.is_folder):
                return Refusal.KIND
        parent = change.parent_id
        if parent in self._made:
            parent = self._made[parent]
            if parent is None:
                return Refusal.DEPENDENCY
        if parent is not None:
            folder = self.nodes.get(parent)
            if folder is None or folder.deleted or not folder.is_folder:
                return Refusal.PARENT_NOT_FOUND
        if node is None:
            return self._create(change, parent, coming, new_id)
        if change.restores and node.is_folder and node.deleted:
            return self._restore(node, change, parent, coming)
        return self._change(node, change, parent, coming)

    def _create(
        self, change: ItemChange, parent: int | None, coming: int, new_id: int | None
    ) -> Refusal | None:
        assert change.name is not None
        size = change.size or 0
        if size and size > self.quota - self.used:
            return Refusal.QUOTA
        if self._taken(parent, change.name, None):
            return Refusal.NAME_TAKEN
        assert new_id is not None, f"{change} should have been committed"
        is_folder = bool(change.is_folder)
        self.nodes[new_id] = Node(new_id, change.name, parent, is_folder, size, 1, coming)
        return None

    def _change(
        self, node: Node, change: ItemChange, parent: int | None, coming: int
    ) -> Refusal | None:
        name = change.name if change.name is not None else node.name
        size = change.size if change.size is not None and not node.is_folder else node.size
        grows = size - (0 if node.deleted else node.size)
        if grows > 0 and grows > self.quota - self.used:
            return Refusal.QUOTA
        if self._taken(parent, name, node.id):
            return Refusal.NAME_TAKEN
        if parent is not None and node.id in self._path(parent):
            return Refusal.CYCLE
        left = self._taken_along(node)
        for child in left:
            if child.parent == node.id:
                # Each child stays in the trash by itself, with what is in it.
                content = self._below(child.id, left)
                self.nodes[child.id] = evolve(child, went_with=None)
                self.nodes.update((each.id, evolve(each, went_with=child.id)) for each in content)
        self.nodes[node.id] = evolve(
            node, name=name, parent=parent, size=size, deleted=False, went_with=None,
            version=node.version + 1, revision=coming,
        )  # fmt: skip
        return None

    def _restore(
        self, node: Node, change: ItemChange, parent: int | None, coming: int
    ) -> Refusal | None:
        name = change.name if change.name is not None else node.name
        if self._taken(parent, name, None):
            return Refusal.NAME_TAKEN
        back = self._taken_along(node)
        size = sum(each.size for each in back)
        if size and size > self.quota - self.used:
            return Refusal.QUOTA
        for each in [evolve(node, name=name, parent=parent), *back]:
            self.nodes[each.id] = evolve(
                each, deleted=False, went_with=None, version=each.version + 1, revision=coming
            )
        self._touched.extend(self.nodes[each.id] for each in back)
        return None

    def _taken_along(self, node: Node) -> list[Node]:
        """What is in a deleted folder or below it and went with the same deletion."""
        deletion = node.went_with or node.id
        gone = [each for each in self.nodes.values() if each.deleted]
        return self._below(node.id, [each for each in gone if each.went_with == deletion])

    def _below(self, identity: int, among: list[Node]) -> list[Node]:
        found: list[Node] = []
        folders = [identity]
        for folder in folders:
            children = [each for each in among if each.parent == folder]
            found.extend(children)
            folders.extend(child.id for child in children)
        return found

    def _delete(self, node: Node, coming: int) -> None:
        gone = [node]
        for each in gone:
            gone.extend(child for child in self.live.values() if child.parent == each.id)
        for each in gone:
            self.nodes[each.id] = evolve(
                each, deleted=True, version=each.version + 1, revision=coming,
                went_with=node.went_with if each is node else node.id,
            )  # fmt: skip
        self._touched.extend(self.nodes[each.id] for each in gone[1:])

    def _taken(self, parent: int | None, name: str, by: int | None) -> bool:
        return any(
            node.parent == parent and node.name == name and node.id != by
            for node in self.live.values()
        )

    def _path(self, identity: int | None) -> list[int]:
        path = []
        while identity is not None:
            path.append(identity)
            identity = self.nodes[identity].parent
        return path
