"""Which event streams are told of which workspace."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import define, field

if TYPE_CHECKING:
    from stacksync.protocols.http.events.event_stream import EventStream


@define(eq=False)
class Followers:
    """An index of streams by workspace, and of workspaces by stream (their ``workspace_ids``)."""

    _by_workspace: dict[UUID, set[EventStream]] = field(init=False, factory=dict)

    def of(self, workspace_id: UUID) -> Collection[EventStream]:
        return self._by_workspace.get(workspace_id, ())

    def add(self, workspace_id: UUID, stream: EventStream) -> None:
        """From now on the stream hears of this workspace."""
        stream.workspace_ids.add(workspace_id)
        self._by_workspace.setdefault(workspace_id, set()).add(stream)

    def remove(self, workspace_id: UUID, stream: EventStream) -> None:
        """From now on it does not."""
        stream.workspace_ids.discard(workspace_id)
        streams = self._by_workspace.get(workspace_id)
        if streams is not None:
            streams.discard(stream)
            if not streams:
                del self._by_workspace[workspace_id]

    def drop(self, stream: EventStream) -> None:
        """The stream is over."""
        for workspace_id in tuple(stream.workspace_ids):
            self.remove(workspace_id, stream)
