"""The jobs that sharing leaves behind: containers, copies, and who is to be told.

Only what is to be done, in which queue and after what; how, is :mod:`.jobs`'.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from stacksync.db.database import Transaction
from stacksync.db.jobs import JobTable
from stacksync.engine.sign_in.sign_ins import SignIns
from stacksync.model import Item, JobKind, Member, Workspace


class ShareJobs:
    """Adds jobs to a transaction, and wakes who does them once it is committed.

    :param wake: tells this instance's runner that there is something to do.
    :param sign_ins: knows what is to be done about connections to the broker.
    """

    def __init__(self, table: JobTable, wake: Callable[[], None], sign_ins: SignIns) -> None:
        self._table = table
        self._wake = wake
        self._sign_ins = sign_ins

    async def container(self, transaction: Transaction, workspace_id: UUID, container: str) -> int:
        """The container is there, for those who are members by then."""
        arguments = {"workspace_id": str(workspace_id), "container": container}
        return await self._add(transaction, JobKind.CONTAINER, f"container:{container}", arguments)

    async def copy(
        self,
        transaction: Transaction,
        container: str,
        after_id: int | None,
        *,
        is_kept: bool = False,
    ) -> int:
        """What a move has noted for a container is brought there.

        :param is_kept: although no workspace has the container any more.
        """
        arguments = {"container": container, **({"is_kept": True} if is_kept else {})}
        return await self._add(
            transaction, JobKind.COPY, f"content:{container}", arguments, after_id=after_id
        )

    async def remove_container(
        self, transaction: Transaction, container: str, after_id: int | None, delay: float
    ) -> int:
        return await self._add(
            transaction,
            JobKind.REMOVE_CONTAINER,
            f"container:{container}",
            {"container": container},
            after_id=after_id,
            delay=delay,
        )

    async def remove_identity(self, transaction: Transaction, user_id: str) -> int:
        return await self._add(
            transaction, JobKind.REMOVE_IDENTITY, f"identity:{user_id}", {"user_id": user_id}
        )

    async def disconnect(self, transaction: Transaction, member: Member) -> None:
        """Somebody who is no member any more has to ask the broker anew what it may hear."""
        transaction.after_commit(self._wake)
        await self._sign_ins.may_do_less(transaction, member.account_id, member.email)

    async def tell_proposal(
        self, transaction: Transaction, owner_id: UUID, proposal_id: UUID, request_id: str
    ) -> None:
        """Owner and addressee hear of a proposal."""
        await self._notify(
            transaction,
            owner_id,
            {"event": "proposal", "request_id": request_id, "proposal_id": str(proposal_id)},
        )

    async def tell_workspace(
        self, transaction: Transaction, account_id: UUID, workspace_id: UUID, request_id: str
    ) -> None:
        """A member hears what a workspace is to it now."""
        await self._notify(
            transaction,
            account_id,
            {
                "event": "workspace",
                "request_id": request_id,
                "account_id": str(account_id),
                "workspace_id": str(workspace_id),
            },
        )

    async def tell_unshared(
        self,
        transaction: Transaction,
        account_id: UUID,
        workspace: Workspace,
        folder: Item,
        request_id: str,
    ) -> None:
        """Somebody hears that it is no member any more.

        :param workspace: as the owner sees it.
        """
        await self._notify(
            transaction,
            account_id,
            {
                "event": "unshare",
                "request_id": request_id,
                "account_id": str(account_id),
                "workspace_id": str(workspace.id),
                "item_id": folder.id,
                "folder_name": workspace.name,
                "owner_id": str(workspace.owner.id),
                "owner_name": workspace.owner.name,
                "container": workspace.container,
                "is_encrypted": workspace.is_encrypted,
            },
        )

    async def _notify(
        self, transaction: Transaction, account_id: UUID, arguments: dict[str, Any]
    ) -> None:
        await self._add(transaction, JobKind.NOTIFY, f"notify:{account_id}", arguments)

    async def _add(
        self,
        transaction: Transaction,
        kind: JobKind,
        queue: str,
        arguments: dict[str, Any],
        *,
        after_id: int | None = None,
        delay: float = 0.0,
    ) -> int:
        transaction.after_commit(self._wake)
        return await self._table.add(
            transaction, kind, queue, arguments, after_id=after_id, delay=delay
        )
