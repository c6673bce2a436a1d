"""What a test does with a device, whatever protocol it speaks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from attrs import frozen

from tests.integration.clients.answers import Answer, Item, Notification
from tests.servers.stacksync import KnownUser

WAIT = 30.0
"""Seconds after which something that ought to come is missed."""


@frozen
class Workspace:
    id: str
    name: str
    revision: int
    parent_item_id: int | None


@frozen
class WorkspaceUpdate:
    request_id: str
    workspace_id: str
    name: str
    parent_item_id: int | None


class Device(ABC):
    """One device of a user.

    Every verb raises :class:`~tests.integration.clients.answers.Refused` when the
    server refuses the request.

    :ivar id: the device's id, once :meth:`register` has been called.
    """

    protocol: str

    def __init__(self, user: KnownUser) -> None:
        self.user = user
        self.id = ""
        self._workspace: str | None = None

    @property
    def workspace(self) -> str:
        """The id of the user's first workspace, which commits go to unless told otherwise."""
        if self._workspace is None:
            self._workspace = self.workspaces()[0].id
        return self._workspace

    @property
    def revision(self) -> int:
        """The newest revision of the first workspace."""
        return {told.id: told.revision for told in self.workspaces()}[self.workspace]

    @abstractmethod
    def close(self) -> None:
        """Hang up."""

    @abstractmethod
    def listen(self) -> dict[str, int]:
        """Hear of every commit from now on; the revisions of the workspaces until then."""

    @abstractmethod
    def account(self) -> dict[str, Any]:
        """Of the user: ``id``, ``email`` and ``quota_used``."""

    @abstractmethod
    def register(self, name: str = "laptop") -> str:
        """Make the device known; its id."""

    @abstractmethod
    def update_device(self, device_id: str, name: str) -> None:
        """Rename a device."""

    @abstractmethod
    def workspaces(self) -> list[Workspace]:
        """The user's workspaces."""

    @abstractmethod
    def update_workspace(self, workspace_id: str, name: str, parent: int | None = None) -> None:
        """Rename and mount a workspace."""

    @abstractmethod
    def changes(self, since: int, workspace_id: str | None = None) -> list[Item]:
        """What changed after a revision."""

    @abstractmethod
    def commit(
        self,
        *items: Item,
        request_id: str | None = None,
        device_id: str | None = None,
        workspace_id: str | None = None,
    ) -> Answer:
        """Commit a batch and wait for the answer."""

    @abstractmethod
    def next_notification(self, within: float = WAIT) -> Notification:
        """The next commit that the device is told of, its own ones included."""

    @abstractmethod
    def next_update(self, within: float = WAIT) -> WorkspaceUpdate:
        """The next rename or mount of a workspace that the device is told of."""
