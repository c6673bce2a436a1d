"""The commit: waiting requests go to ``commit_items`` as JSON, answers come back.

The function itself is in ``functions/commit_items.sql``; the promises that it
keeps are the engine's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
import psycopg2.errors
from attrs import frozen

from stacksync.db.database import Database
from stacksync.db.items import item_from_state
from stacksync.model import CommitRequest, CommitResult, ItemOutcome, Refusal


@frozen
class ReadyRequest:
    """A checked request of a known account.

    ``parent_ordinals`` maps the place of a change, from 0, to the place of the
    earlier change that makes its parent; ``problems`` maps the place of a
    change that is invalid to what is wrong with it.
    """

    account_id: UUID
    request: CommitRequest
    parent_ordinals: dict[int, int]
    problems: dict[int, str]


@frozen
class RequestRefused:
    """The whole request was refused: no such workspace, device, role, or a reused id."""

    reason: str
    recorded: int = 0


HELD = "held"

RESULTS_SINCE = """
    SELECT made.revision, made.request_id, made.device_id, o.quota_limit, o.quota_used,
        json_agg(json_build_object('refusal', NULL, 'item', item_state(made.state))
            ORDER BY made.ordinal)::text
    FROM workspace w
    JOIN account o ON o.id = w.owner_id,
    LATERAL (
        SELECT i.revision, i.id, i.version, NULL AS departed
            FROM item i WHERE i.workspace_id = w.id AND i.revision > %(since)s
        UNION ALL
        SELECT d.revision, d.id, d.version, to_jsonb(d)
            FROM departed_item d WHERE d.workspace_id = w.id AND d.revision > %(since)s
    ) touched,
    LATERAL (
        -- OFFSET 0: by the key, however much the planner expects there to be.
        SELECT touched.revision, v.request_id, v.device_id, v.ordinal,
                CASE WHEN departed IS NULL THEN v ELSE jsonb_populate_record(v, departed) END
                    AS state
            FROM item_version v
            WHERE v.item_id = touched.id AND v.version = touched.version
            OFFSET 0
    ) made
    WHERE w.id = %(workspace)s
    GROUP BY made.revision, made.request_id, made.device_id, o.quota_limit, o.quota_used
    ORDER BY made.revision
"""
"""What has gone to another workspace is told as deleted, in the name of what has moved it."""


class CommitTable:
    """Commits, and what commits have left behind."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def commit(self, ready: Sequence[ReadyRequest]) -> list[CommitResult | RequestRefused]:
        """Commit requests in one transaction; an answer to each, in their order.

        Waits for whoever holds the workspaces.  May be repeated: a request that
        was answered before is answered alike.
        """
        answers = await self._answers(ready, waits=True)
        return [result(entry, answer) for entry, answer in zip(ready, answers, strict=True)]

    async def commit_unheld(
        self, ready: Sequence[ReadyRequest]
    ) -> list[CommitResult | RequestRefused | None]:
        """Like :meth:`commit`, without waiting for anybody.

        :returns: ``None`` for a request whose workspace, or the account of its
            owner, somebody else holds at the moment: nothing has become of it.
        """
        answers = await self._answers(ready, waits=False)
        return [
            None if answer.get("error") == HELD else result(entry, answer)
            for entry, answer in zip(ready, answers, strict=True)
        ]

    async def _answers(self, ready: Sequence[ReadyRequest], *, waits: bool) -> list[dict[str, Any]]:
        try:
            told = await self._call(ready, waits)
        except psycopg2.errors.UniqueViolation:
            # A request's id was used for another workspace in the same moment,
            # which the function sees now.
            told = await self._call(ready, waits)
        answers: list[dict[str, Any]] = orjson.loads(told)
        return answers

    async def _call(self, ready: Sequence[ReadyRequest], waits: bool) -> str:
        rows = await self._database.query(
            "commit",
            "SELECT commit_items(%s::uuid[], %s::jsonb, %s)::text",
            [
                list({entry.request.workspace_id for entry in ready}),
                orjson.dumps([request_as_json(entry) for entry in ready]).decode(),
                waits,
            ],
            repeatable=True,
        )
        told: str = rows[0][0]
        return told

    async def results_since(self, workspace_id: UUID, revision: int) -> list[CommitResult]:
        """What the commits after a revision made of the items that no later one touched."""
        rows = await self._database.query(
            "read commits",
            RESULTS_SINCE,
            {"since": revision, "workspace": workspace_id},
            repeatable=True,
        )
        return [
            CommitResult(
                workspace_id=workspace_id,
                request_id=request_id,
                device_id=device_id,
                revision=made,
                outcomes=tuple(outcomes(workspace_id, orjson.loads(told))),
                quota_limit=quota_limit,
                quota_used=quota_used,
                repeated=True,
            )
            for made, request_id, device_id, quota_limit, quota_used, told in rows
        ]


def request_as_json(ready: ReadyRequest) -> dict[str, Any]:
    request = ready.request
    return {
        "account_id": ready.account_id,
        "workspace_id": request.workspace_id,
        "device_id": request.device_id,
        "request_id": request.request_id,
        "changes": [change_as_json(ready, place) for place in range(len(request.changes))],
    }


def change_as_json(ready: ReadyRequest, place: int) -> dict[str, Any]:
    if place in ready.problems:
        return {"invalid": True}
    change = ready.request.changes[place]
    new = change.id is None
    told: dict[str, Any] = {
        "id": change.id,
        "parent_id": change.parent_id,
        "parent_ordinal": ready.parent_ordinals.get(place),
        "version": change.version,
        "status": change.status,
        "name": change.name,
        "is_folder": (change.is_folder or False) if new else change.is_folder,
        "size": 0 if change.is_folder else (change.size or 0) if new else change.size,
        "checksum": (change.checksum or 0) if new else change.checksum,
        "mimetype": change.mimetype,
        "chunks": [] if change.is_folder else (change.chunks or ()) if new else change.chunks,
        "modified_at": change.modified_at,
    }
    # Hardly ever: the rest need not carry it.
    if change.restores:
        told["restores"] = True
    return told


def result(ready: ReadyRequest, answer: dict[str, Any]) -> CommitResult | RequestRefused:
    if "error" in answer:
        return RequestRefused(answer["error"], answer.get("recorded", 0))
    request = ready.request
    return CommitResult(
        workspace_id=request.workspace_id,
        request_id=request.request_id,
        device_id=request.device_id,
        revision=answer["revision"],
        outcomes=tuple(outcomes(request.workspace_id, answer["outcomes"], ready)),
        quota_limit=answer["quota_limit"],
        quota_used=answer["quota_used"],
        repeated=answer["repeated"],
    )


def outcomes(
    workspace_id: UUID, told: list[dict[str, Any]], ready: ReadyRequest | None = None
) -> Iterable[ItemOutcome]:
    changes = ready.request.changes if ready is not None else ()
    problems = ready.problems if ready is not None else {}
    for place, outcome in enumerate(told):
        refusal, state = outcome["refusal"], outcome["item"]
        yield ItemOutcome(
            refusal=Refusal(refusal) if refusal is not None else None,
            item=item_from_state(state, workspace_id) if state is not None else None,
            change=changes[place] if place < len(changes) else None,
            problem=problems.get(place),
        )
