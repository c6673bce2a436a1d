"""Sharing, put together.

For :func:`stacksync.engine.engine_on`; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from stacksync.db.accounts import AccountTable
from stacksync.db.commits import CommitTable
from stacksync.db.database import Database
from stacksync.db.items import ItemTable
from stacksync.db.jobs import JobTable
from stacksync.db.members import MemberTable
from stacksync.db.proposals import ProposalTable
from stacksync.engine.access import Access
from stacksync.engine.audit.shares import ShareAudit
from stacksync.engine.notifier import Notifier
from stacksync.engine.sharing.asking import Asking
from stacksync.engine.sharing.jobs import ShareJobs
from stacksync.engine.sharing.members import Members
from stacksync.engine.sharing.mounts import Mounts
from stacksync.engine.sharing.moves import Moves
from stacksync.engine.sharing.proposals import Proposals
from stacksync.engine.sharing.shared_folders import Sharing, SharingSettings
from stacksync.engine.sharing.transfers import Transfers
from stacksync.engine.sign_in.ways_in import WaysIn


@frozen
class SharingParts:
    """What sharing consists of, by noun."""

    jobs: ShareJobs
    shared_folders: Sharing
    proposals: Proposals
    members: Members
    mounts: Mounts
    transfers: Transfers


def sharing_on(
    database: Database,
    access: Access,
    notifier: Notifier,
    ways_in: WaysIn,
    audit: ShareAudit,
    settings: SharingSettings,
    wake: Callable[[], None],
) -> SharingParts:
    """Put it together on a database.

    :param wake: called when there are jobs to do.
    """
    commits, members, proposals = (
        CommitTable(database),
        MemberTable(database),
        ProposalTable(database),
    )
    accounts, devices = AccountTable(database), ways_in.devices
    jobs = ShareJobs(JobTable(database), wake, ways_in.sign_ins)
    moves = Moves(commits, jobs, notifier)
    folders = Sharing(members, proposals, moves, jobs, settings)
    asking = Asking(database, proposals, members, accounts, access, folders, jobs, settings, audit)
    return SharingParts(
        jobs=jobs,
        shared_folders=folders,
        proposals=Proposals(database, proposals, access, devices, folders, asking, audit),
        members=Members(database, members, proposals, accounts, access, devices, folders, audit),
        mounts=Mounts(database, access, notifier),
        transfers=Transfers(database, ItemTable(database), access, devices, moves),
    )
