"""Work on the object store, the identity service and the broker that a transaction asked for."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import frozen


class JobKind(StrEnum):
    """What there is to do; each may be done twice without harm."""

    CONTAINER = "container"
    """A workspace's container is there, and its access list and quota are what the database says.

    Arguments: ``workspace_id``.
    """
    COPY = "copy"
    """The chunks that the table ``chunk_copy`` lists for a container are brought into it.

    Arguments: ``container``.
    """
    REMOVE_CONTAINER = "remove-container"
    """A container that no workspace has is removed with all that is in it.

    Arguments: ``container``.
    """
    REMOVE_IDENTITY = "remove-identity"
    """The user that we made in the identity service is removed.

    Arguments: ``user_id``.
    """
    DISCONNECT = "disconnect"
    """An account's connections to the broker are closed, so that it is asked anew what they may.

    Arguments: ``account_id``, ``logins`` (all names that the account can have logged in by).
    """
    NOTIFY = "notify"
    """Devices are told of something that happened to an account's shares.

    Arguments: ``event``, ``request_id``, and what the event is about.
    """


class JobState(StrEnum):
    WAITING = "waiting"
    """For its time, for the job before it, or for another try."""
    RUNNING = "running"
    DONE = "done"


@frozen
class Job:
    """One piece of work.

    Jobs of one ``queue`` run one after the other, in the order of their ids;
    one with ``after_id`` waits for that one besides.  ``problem``: what went
    wrong at the last try.  ``progress`` of ``total`` units are done, where
    that can be told.
    """

    id: int
    kind: JobKind
    queue: str
    arguments: dict[str, Any]
    after_id: int | None
    state: JobState
    attempts: int
    run_at: datetime
    problem: str | None
    progress: int
    total: int | None
    created_at: datetime
    finished_at: datetime | None
