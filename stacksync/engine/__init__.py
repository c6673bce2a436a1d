"""The metadata engine: what StackSync does, without a protocol.

Every operation on behalf of a user takes a :class:`~stacksync.model.Principal`
and is refused unless that user may do it.  No wire formats and no SQL here.
"""

from __future__ import annotations

from typing import Any, Protocol

from attrs import frozen

from stacksync.db.accounts import AccountTable
from stacksync.db.commits import CommitTable
from stacksync.db.database import Database
from stacksync.db.devices import DeviceTable
from stacksync.db.hints import HintChannel
from stacksync.db.items import ItemTable
from stacksync.db.workspaces import WorkspaceTable
from stacksync.engine.access import Access
from stacksync.engine.accounts import Accounts
from stacksync.engine.changes import ChangeLog
from stacksync.engine.commit_queue import CommitQueue
from stacksync.engine.commits import Commits
from stacksync.engine.devices import Devices
from stacksync.engine.notifier import Notifier
from stacksync.engine.sweep import Sweep
from stacksync.engine.validation import Limits
from stacksync.engine.versions import Versions
from stacksync.engine.workspaces import Workspaces


class EngineSettings(Protocol):
    """What the engine needs to know; ``stacksync.config`` has it."""

    @property
    def hint_gather(self) -> float: ...
    @property
    def sweep_interval(self) -> float: ...


@frozen
class Engine:
    """All operations, by noun, and what runs in their background."""

    accounts: Accounts
    devices: Devices
    workspaces: Workspaces
    commits: Commits
    changes: ChangeLog
    versions: Versions
    notifier: Notifier
    sweep: Sweep
    hints: HintChannel

    def start(self) -> None:
        """Begin to hear other instances and to sweep."""
        self.hints.start(self.notifier.heard, self.sweep.soon)
        self.sweep.start()

    def stop(self) -> None:
        self.sweep.stop()
        self.hints.stop()
        self.notifier.stop()


def engine_on(
    database: Database, reactor: Any, settings: EngineSettings, limits: Limits, lanes: int
) -> Engine:
    """Put an engine together on a database.

    :param lanes: how many commit transactions may run at a time.
    """
    workspace_table = WorkspaceTable(database)
    commit_table = CommitTable(database)
    item_table = ItemTable(database)
    access = Access(workspace_table)
    hints = HintChannel(reactor, database)
    notifier = Notifier(reactor, hints, settings.hint_gather)
    return Engine(
        accounts=Accounts(AccountTable(database)),
        devices=Devices(DeviceTable(database)),
        workspaces=Workspaces(workspace_table, access, notifier),
        commits=Commits(CommitQueue(commit_table, lanes), notifier, limits),
        changes=ChangeLog(item_table, access),
        versions=Versions(item_table),
        notifier=notifier,
        sweep=Sweep(reactor, workspace_table, commit_table, notifier, settings.sweep_interval),
        hints=hints,
    )
