"""The commit: a device's new versions, first processed wins.

Checks what can be checked without the database, hands the rest to the commit
function, and has the outcome announced.
"""

from __future__ import annotations

from stacksync.db.commits import ReadyRequest, RequestRefused
from stacksync.engine import validation
from stacksync.engine.access import check_is_device, check_scope, refused_commit
from stacksync.engine.commit_queue import CommitQueue
from stacksync.engine.notifier import Notifier
from stacksync.events import Committed
from stacksync.model import CommitRequest, CommitResult, Principal


class Commits:
    """Commits on behalf of a principal."""

    def __init__(self, queue: CommitQueue, notifier: Notifier, limits: validation.Limits) -> None:
        self._queue = queue
        self._notifier = notifier
        self._limits = limits

    @property
    def items_max(self) -> int:
        """How many items a commit may have."""
        return self._limits.items_per_commit

    async def commit(
        self, principal: Principal, request: CommitRequest, *, until_announced: bool = False
    ) -> CommitResult:
        """Commit a batch; what is refused does not hinder the rest of it.

        The same request of the same device again has no second effect and gets
        the answer of the first time; it is announced again, as the first time
        may not have been.

        :param until_announced: return only when the devices have been told;
            without it they are told a moment later.
        :raises InvalidRequest: nothing or too much in it; no usable request id.
        :raises WorkspaceNotFound: no such workspace, or not the principal's.
        :raises DeviceNotFound: no such device, or not the principal's.
        :raises Forbidden: the principal may only look, or is another device.
        :raises RequestReused: the request id stands for another batch.
        :raises Unavailable: the database or, with ``until_announced``, a
            front-end is away; the request may be repeated.
        """
        check_scope(principal)
        check_is_device(principal, request.device_id)
        validation.check_request(request, self._limits)
        answer = await self._queue.commit(self._ready(principal, request))
        if isinstance(answer, RequestRefused):
            raise refused_commit(request, answer)
        if until_announced:
            await self._notifier.announce(Committed(answer))
        else:
            self._notifier.announce_later(Committed(answer))
        return answer

    def _ready(self, principal: Principal, request: CommitRequest) -> ReadyRequest:
        parents, problems = validation.parent_ordinals(request.changes)
        for place, change in enumerate(request.changes):
            problem = validation.change_problem(change, self._limits)
            if problem is not None:
                problems[place] = problem
        return ReadyRequest(principal.account_id, request, parents, problems)
