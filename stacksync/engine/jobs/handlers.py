"""Which handler does which kind of job, put together on a database and a store."""

from __future__ import annotations

from collections.abc import Mapping

from stacksync.db.accounts import AccountTable
from stacksync.db.broker_access import BrokerAccessTable
from stacksync.db.chunk_copies import ChunkCopyTable
from stacksync.db.container_access import ContainerAccessTable
from stacksync.db.database import Database
from stacksync.db.workspaces import WorkspaceTable
from stacksync.engine.jobs.container import ContainerJobs
from stacksync.engine.jobs.copy import CopyJobs
from stacksync.engine.jobs.disconnect import DisconnectJobs, FindConnections
from stacksync.engine.jobs.handler import JobHandler
from stacksync.engine.jobs.notify import Announcer, KnownProposals, NotifyJobs
from stacksync.engine.jobs.remove_container import RemoveContainerJobs
from stacksync.engine.jobs.remove_identity import RemoveIdentity, RemoveIdentityJobs
from stacksync.interfaces import IAccessControl, IBlobStore
from stacksync.metrics import Metrics
from stacksync.model import JobKind


def handlers_on(
    database: Database,
    store: IBlobStore,
    proposals: KnownProposals,
    notifier: Announcer,
    metrics: Metrics,
    *,
    copies_at_once: int,
    remove_identity: RemoveIdentity | None,
    find_connections: FindConnections | None = None,
) -> Mapping[JobKind, JobHandler]:
    """A handler for each kind.

    :param copies_at_once: how many chunks a job copies at the same time.
    :param remove_identity: ``None``: there is no identity service.
    :param find_connections: finds who closes connections to the broker; ``None``: that is left
        to other instances.
    """
    copies = ChunkCopyTable(database)
    handlers: dict[JobKind, JobHandler] = {
        JobKind.CONTAINER: ContainerJobs(
            ContainerAccessTable(database), store, IAccessControl(store, None)
        ),
        JobKind.COPY: CopyJobs(copies, store, copies_at_once, metrics),
        JobKind.REMOVE_CONTAINER: RemoveContainerJobs(copies, store),
        JobKind.REMOVE_IDENTITY: RemoveIdentityJobs(remove_identity),
        JobKind.NOTIFY: NotifyJobs(
            proposals, AccountTable(database), WorkspaceTable(database), notifier
        ),
    }
    if find_connections is not None:
        handlers[JobKind.DISCONNECT] = DisconnectJobs(BrokerAccessTable(database), find_connections)
    return handlers
