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
from stacksync.db.doomed_chunks import DoomedChunkTable
from stacksync.db.hints import HintChannel
from stacksync.db.items import ItemTable
from stacksync.db.listings import Listings
from stacksync.db.uploads import UploadTable
from stacksync.db.workspaces import WorkspaceTable
from stacksync.engine.access import Access
from stacksync.engine.accounts import Accounts
from stacksync.engine.changes import ChangeLog
from stacksync.engine.chunks import Chunks
from stacksync.engine.commit_queue import CommitQueue
from stacksync.engine.commits import Commits
from stacksync.engine.content import ContentStore
from stacksync.engine.devices import Devices
from stacksync.engine.files import Files
from stacksync.engine.item_commits import ItemCommits
from stacksync.engine.items import Items
from stacksync.engine.notifier import Notifier
from stacksync.engine.repeats import Repeats
from stacksync.engine.sweep import Sweep
from stacksync.engine.trash import Trash
from stacksync.engine.upload_sweep import UploadSweep
from stacksync.engine.upload_target import UploadTarget
from stacksync.engine.uploads import Uploads
from stacksync.engine.validation import Limits
from stacksync.engine.versions import Versions
from stacksync.engine.workspaces import Workspaces
from stacksync.interfaces import IBlobStore


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
    items: Items
    trash: Trash
    files: Files
    chunks: Chunks
    uploads: Uploads
    content: ContentStore
    notifier: Notifier
    sweep: Sweep
    upload_sweep: UploadSweep
    hints: HintChannel

    def start(self) -> None:
        """Begin to hear other instances and to sweep."""
        self.hints.start(self.notifier.heard, self.sweep.soon)
        self.sweep.start()
        self.upload_sweep.start()
        self.content.start()

    def stop(self) -> None:
        self.sweep.stop()
        self.upload_sweep.stop()
        self.hints.stop()
        self.notifier.stop()
        self.content.stop()


def engine_on(
    database: Database,
    reactor: Any,
    settings: EngineSettings,
    limits: Limits,
    lanes: int,
    *,
    store: IBlobStore,
    content_threads: int = 2,
    upload_expire: float = 86400.0,
) -> Engine:
    """Put an engine together on a database and a store for what files consist of.

    :param lanes: how many commit transactions may run at a time.
    :param content_threads: how many pieces of files are cut, hashed or compressed at a time.
    :param upload_expire: seconds that an unfinished upload is kept after its last piece.
    """
    workspace_table = WorkspaceTable(database)
    commit_table = CommitTable(database)
    item_table = ItemTable(database)
    listings = Listings(database)
    access = Access(workspace_table, item_table)
    hints = HintChannel(reactor, database)
    notifier = Notifier(reactor, hints, settings.hint_gather)
    devices = Devices(DeviceTable(database))
    commits = Commits(CommitQueue(commit_table, lanes), notifier, limits)
    item_commits = ItemCommits(item_table, commits, devices, access)
    items = Items(item_table, listings, access, item_commits)
    versions = Versions(item_table, access)
    content = ContentStore(reactor, store, DoomedChunkTable(database), limits, content_threads)
    repeats = Repeats(item_table, devices)
    target = UploadTarget(items, item_commits, devices, access)
    uploads = Uploads(reactor, UploadTable(database), target, content, access, upload_expire)
    return Engine(
        accounts=Accounts(AccountTable(database)),
        devices=devices,
        workspaces=Workspaces(workspace_table, access, notifier),
        commits=commits,
        changes=ChangeLog(item_table, access),
        versions=versions,
        items=items,
        trash=Trash(listings, access, item_commits),
        files=Files(content, items, versions, item_commits, repeats, access, devices),
        chunks=Chunks(content, access),
        uploads=uploads,
        content=content,
        notifier=notifier,
        sweep=Sweep(reactor, workspace_table, commit_table, notifier, settings.sweep_interval),
        upload_sweep=UploadSweep(reactor, uploads),
        hints=hints,
    )
