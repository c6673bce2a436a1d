"""The metadata engine: what StackSync does, without a protocol.

Every operation on behalf of a user takes a :class:`~stacksync.model.Principal`
and is refused unless that user may do it.  No wire formats and no SQL here.
"""

from __future__ import annotations

from typing import Any, Protocol

from attrs import frozen
from twisted.internet.defer import Deferred

from stacksync.config.sharing_options import JobsConfig, SharingConfig
from stacksync.config.sign_in_options import OAuthConfig
from stacksync.db.account_removal import AccountRemovalTable
from stacksync.db.accounts import AccountTable
from stacksync.db.chunk_copies import ChunkCopyTable
from stacksync.db.commits import CommitTable
from stacksync.db.database import Database
from stacksync.db.doomed_chunks import DoomedChunkTable
from stacksync.db.hints import HintChannel
from stacksync.db.items import ItemTable
from stacksync.db.jobs import JobTable
from stacksync.db.listings import Listings
from stacksync.db.members import MemberTable
from stacksync.db.proposals import ProposalTable
from stacksync.db.uploads import UploadTable
from stacksync.db.workspaces import WorkspaceTable
from stacksync.engine.access import Access
from stacksync.engine.accounts import Accounts
from stacksync.engine.audit import Audit, audit_on
from stacksync.engine.audit.accounts import AccountAudit
from stacksync.engine.audit.shares import ShareAudit
from stacksync.engine.changes import ChangeLog
from stacksync.engine.chunks import Chunks
from stacksync.engine.commit_queue import CommitQueue
from stacksync.engine.commits import Commits
from stacksync.engine.content import ContentStore
from stacksync.engine.content.fallback import FallbackStore
from stacksync.engine.devices import Devices
from stacksync.engine.files import Files
from stacksync.engine.item_commits import ItemCommits
from stacksync.engine.items import Items
from stacksync.engine.jobs import Jobs, JobSettings
from stacksync.engine.jobs.claims import LEASE
from stacksync.engine.jobs.disconnect import FindConnections
from stacksync.engine.jobs.handlers import handlers_on
from stacksync.engine.jobs.remove_identity import RemoveIdentity
from stacksync.engine.metrics import Measurements
from stacksync.engine.notifier import Notifier
from stacksync.engine.oauth import OAuth
from stacksync.engine.relocation import Relocation
from stacksync.engine.removal import AccountRemoval
from stacksync.engine.repeats import Repeats
from stacksync.engine.sharing.assembly import sharing_on
from stacksync.engine.sharing.members import Members
from stacksync.engine.sharing.proposals import Proposals
from stacksync.engine.sharing.shared_folders import SharingSettings
from stacksync.engine.sign_in.broker_access import BrokerAccess
from stacksync.engine.sign_in.passwords import Passwords
from stacksync.engine.sign_in.sign_ins import BrokerAnswers, SignIns
from stacksync.engine.sign_in.tokens import Tokens, TokenSettings
from stacksync.engine.sign_in.ways_in import ways_in_on
from stacksync.engine.sweep import Sweep
from stacksync.engine.trash import Trash
from stacksync.engine.uploads import Uploads
from stacksync.engine.uploads.sweep import UploadSweep
from stacksync.engine.uploads.target import UploadTarget
from stacksync.engine.validation import Limits
from stacksync.engine.versions import Versions
from stacksync.engine.workspaces import Workspaces
from stacksync.interfaces import IBlobStore
from stacksync.metrics import Metrics


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
    passwords: Passwords
    devices: Devices
    workspaces: Workspaces
    proposals: Proposals
    members: Members
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
    sign_ins: SignIns
    broker_access: BrokerAccess
    oauth: OAuth
    tokens: Tokens
    sweep: Sweep
    upload_sweep: UploadSweep
    hints: HintChannel
    jobs: Jobs
    audit: Audit
    metrics: Measurements

    def start(self) -> None:
        """Begin to hear other instances and to sweep."""
        self.hints.start(
            self.notifier.heard,
            self._missed,
            self.notifier.heard_account,
            self.sign_ins.heard,
            # Who came before has been told of nothing that other instances did.  The sweep and
            # the look at sign-ins begin with what is older anyway.
            begun=self.notifier.missed,
        )
        self.sign_ins.start()
        self.sweep.start()
        self.upload_sweep.start()
        self.oauth.sweep.start()
        self.content.start()
        self.audit.start()

    def _missed(self) -> None:
        """Hints of other instances may have been missed."""
        self.sign_ins.missed()
        self.sweep.soon()
        self.notifier.missed()

    def stop(self) -> None:
        self.sign_ins.stop()
        self.sweep.stop()
        self.upload_sweep.stop()
        self.oauth.sweep.stop()
        self.hints.stop()
        self.notifier.stop()
        self.content.stop()
        # Who wants the jobs to go on elsewhere at once, and the last of the audit written, has
        # waited for these before.
        Deferred.fromCoroutine(self.jobs.stop())
        Deferred.fromCoroutine(self.audit.stop())


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
    jobs: JobSettings | None = None,
    sharing: SharingSettings | None = None,
    remove_identity: RemoveIdentity | None = None,
    lease: float = LEASE,
    audit_keep: float = 0.0,
    broker: BrokerAnswers | None = None,
    oauth: OAuthConfig | None = None,
    tokens: TokenSettings | None = None,
    find_connections: FindConnections | None = None,
) -> Engine:
    """Put an engine together on a database and a store for what files consist of.

    :param lanes: how many commit transactions may run at a time.
    :param content_threads: how many pieces of files are cut, hashed or compressed at a time.
    :param upload_expire: seconds that an unfinished upload is kept after its last piece.
    :param remove_identity: removes a user of the identity service, if there is one.
    :param lease: seconds after which the jobs of an instance that was killed go on elsewhere.
    :param broker: what becomes of connections to the broker whose sign-in ends; left out: nothing.
    :param audit_keep: seconds that the audit is kept; 0: for ever.
    :param find_connections: finds who closes those; left out: that is left to other instances.
    """
    audit = audit_on(reactor, database, audit_keep)
    share_audit, account_audit = ShareAudit(audit), AccountAudit(audit)
    workspace_table, item_table = WorkspaceTable(database), ItemTable(database)
    commit_table = CommitTable(database)
    listings = Listings(database)
    access = Access(workspace_table, item_table)
    hints = HintChannel(reactor, database)
    notifier = Notifier(reactor, hints, settings.hint_gather)
    commits = Commits(CommitQueue(commit_table, lanes), notifier, limits)
    versions = Versions(item_table, access)
    content = ContentStore(
        reactor,
        store,
        DoomedChunkTable(database),
        limits,
        content_threads,
        FallbackStore(store, ChunkCopyTable(database)),
    )
    job_settings = jobs or JobsConfig()
    job_table = JobTable(database)
    metrics = Metrics()
    handlers = handlers_on(
        database,
        store,
        ProposalTable(database),
        notifier,
        metrics,
        copies_at_once=job_settings.copies_at_once,
        remove_identity=remove_identity,
        find_connections=find_connections,
    )
    job_runner = Jobs(reactor, job_table, handlers, job_settings, metrics, lease)
    ways_in = ways_in_on(reactor, database, notifier, job_runner.wake, audit, broker, oauth, tokens)
    sign_ins, devices = ways_in.sign_ins, ways_in.devices
    item_commits = ItemCommits(item_table, commits, devices, access)
    sharing_settings = sharing or SharingConfig()
    shares = sharing_on(
        database, access, notifier, ways_in, share_audit, sharing_settings, job_runner.wake
    )
    relocation = Relocation(access, item_commits, shares.mounts, shares.transfers)
    items = Items(item_table, listings, access, item_commits, relocation)
    repeats = Repeats(item_table, devices)
    target = UploadTarget(items, item_commits, devices, access)
    uploads = Uploads(reactor, UploadTable(database), target, content, access, upload_expire)
    return Engine(
        accounts=Accounts(
            database,
            AccountTable(database),
            AccountRemoval(
                database,
                AccountRemovalTable(),
                MemberTable(database),
                shares.shared_folders,
                shares.jobs,
                account_audit,
                share_audit,
                sign_ins,
            ),
            shares.proposals,
            job_runner.wake,
            account_audit,
            sign_ins,
            auto_accept=sharing_settings.auto_accept,
        ),
        passwords=ways_in.passwords,
        devices=devices,
        workspaces=Workspaces(workspace_table, access, notifier, shares.mounts),
        proposals=shares.proposals,
        members=shares.members,
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
        sign_ins=sign_ins,
        broker_access=ways_in.broker_access,
        oauth=ways_in.oauth,
        tokens=ways_in.tokens,
        sweep=Sweep(reactor, workspace_table, commit_table, notifier, settings.sweep_interval),
        upload_sweep=UploadSweep(reactor, uploads),
        hints=hints,
        jobs=job_runner,
        audit=audit,
        metrics=Measurements(reactor, job_table, metrics),
    )
