"""Devices are told what became of shares: what the database says then, as often as it takes."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from attrs import define, field
from pytest_twisted import ensureDeferred

from stacksync.db.accounts import AccountTable
from stacksync.db.workspaces import WorkspaceTable
from stacksync.engine.jobs import Jobs
from stacksync.engine.jobs.notify import NotifyJobs
from stacksync.errors import Unavailable
from stacksync.events import ShareProposed, Unshared, WorkspaceUpdated
from stacksync.model import JobKind, Proposal, ProposalState, Role
from tests.db.builders import User, World
from tests.engine.conftest import Listener
from tests.engine.jobs.yard import Yard


@define
class Proposals:
    """The proposals that there are."""

    known: dict[UUID, Proposal] = field(factory=dict)

    async def find(self, proposal_id: UUID) -> Proposal | None:
        return self.known.get(proposal_id)

    def add(self, owner: User, email: str) -> Proposal:
        now = datetime.now(UTC)
        proposal = Proposal(
            id=uuid4(), item_id=1, workspace_id=uuid4(), container="c", folder_name="Photos",
            owner_id=owner.account.id, owner_name="Anna", owner_email=owner.account.email,
            email=email, role=Role.EDITOR, is_encrypted=False, state=ProposalState.PENDING,
            created_at=now, expires_at=now,
        )  # fmt: skip
        self.known[proposal.id] = proposal
        return proposal


def notifying(yard: Yard, proposals: Proposals, listener: Listener) -> Jobs:
    accounts, workspaces = AccountTable(yard.database), WorkspaceTable(yard.database)
    return yard.jobs(NotifyJobs(proposals, accounts, workspaces, listener), [JobKind.NOTIFY])


async def tell(jobs: Jobs) -> tuple[str | None, ...]:
    """Have them told; the problems."""
    return tuple(job.problem for job in await jobs.run_until_idle([JobKind.NOTIFY]))


@ensureDeferred
async def test_a_proposal_is_told_to_its_owner_and_to_the_addressee_if_there_is_one(
    yard: Yard,
) -> None:
    world, proposals, listener = World(yard.database), Proposals(), Listener()
    anna, bert = await world.user(), await world.user()
    known = proposals.add(anna, bert.account.email.upper())
    unknown = proposals.add(anna, "nobody@example.org")
    for proposal_id in (known.id, unknown.id, uuid4()):
        await yard.add(
            kind=JobKind.NOTIFY, event="proposal", request_id="r", proposal_id=str(proposal_id)
        )

    assert await tell(notifying(yard, proposals, listener)) == ()

    assert listener.events == [
        ShareProposed("r", known, (anna.account.id, bert.account.id)),
        ShareProposed("r", unknown, (anna.account.id,)),
    ]


@ensureDeferred
async def test_a_workspace_is_told_as_its_member_sees_it_now(yard: Yard) -> None:
    world, listener = World(yard.database), Listener()
    anna, bert = await world.user(), await world.user()
    for user in (anna, bert):
        await yard.add(
            kind=JobKind.NOTIFY, event="workspace", request_id="r",
            account_id=str(user.account.id), workspace_id=str(anna.workspace_id),
        )  # fmt: skip
    yard.psql.rows("UPDATE membership SET mount_name = 'as it is now'")

    assert await tell(notifying(yard, Proposals(), listener)) == ()

    (event,) = listener.events
    assert isinstance(event, WorkspaceUpdated)
    assert (event.account_id, event.request_id) == (anna.account.id, "r")
    assert (event.workspace.id, event.workspace.name) == (anna.workspace_id, "as it is now")


@ensureDeferred
async def test_what_cannot_be_told_now_is_told_later(yard: Yard) -> None:
    listener = Listener(failure=Unavailable("broker", "away"))
    account, workspace, owner = uuid4(), uuid4(), uuid4()
    await yard.add(
        kind=JobKind.NOTIFY, event="unshare", request_id="r", account_id=str(account),
        workspace_id=str(workspace), item_id=7, folder_name="Photos", owner_id=str(owner),
        owner_name="Anna", container="c", is_encrypted=False,
    )  # fmt: skip
    jobs = notifying(yard, Proposals(), listener)

    assert await tell(jobs) == ("broker: away",)
    listener.failure = None
    yard.psql.rows("UPDATE job SET run_at = now()")
    assert await tell(jobs) == ()

    assert listener.events == [
        Unshared(account, "r", workspace, 7, "Photos", owner, "Anna", "c", False)
    ]


@ensureDeferred
async def test_an_event_that_nobody_knows_is_a_problem_of_its_job(yard: Yard) -> None:
    await yard.add(kind=JobKind.NOTIFY, event="wedding")
    jobs = notifying(yard, Proposals(), Listener())
    assert await tell(jobs) == ("devices can't be told of 'wedding': there is no such event",)
