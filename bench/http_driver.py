"""Commits through HTTP: connections that stay open, each with one request at a time.

A closed loop: each answer sends the next request.  The notifications are heard
on the broker as well, so that a commit counts only if devices were told of it.
"""

from __future__ import annotations

from itertools import cycle
from time import perf_counter
from typing import Any

from bench.amqp_driver import CHUNKS, files_of
from bench.driver import Job, Measured, connect, drive
from bench.http_connection import HttpConnection
from bench.ledger import Ledger
from bench.listener import listen
from bench.measurement import Measurement
from bench.users import User
from bench.wire import http_commit, new_stamp, stamped

SUCCESS = b"HTTP/1.1 200"
COMMITTED = b'"committed":true'


async def commit(reactor: Any, job: Job) -> Measured:
    """Keep one commit of ``items`` new files in flight on each of ``window`` connections."""
    users = [User(**user) for user in job["users"]]
    items = job["items"]
    templates = cycle(
        http_commit(user, files_of(chunks, items)) for chunks in CHUNKS for user in users
    )
    answers, notifications = Ledger(), Ledger()
    measurement = Measurement(reactor, answers, job)
    asked: dict[HttpConnection, bytes] = {}

    def send(connection: HttpConnection) -> None:
        asked[connection] = stamp = new_stamp()
        request = stamped(next(templates), stamp)
        now = perf_counter()
        answers.begun(stamp, now)
        notifications.begun(stamp, now)
        connection.ask(request)

    def answered(connection: HttpConnection, head: bytes, body: bytes) -> None:
        as_wished = head.startswith(SUCCESS) and body.count(COMMITTED) == items
        answers.ended(asked[connection], perf_counter(), as_wished)
        if measurement.sending:
            send(connection)

    def heard(stamp: bytes, now: float, committed: int) -> None:
        notifications.measuring = answers.measuring
        notifications.ended(stamp, now, committed == items)

    broker = await connect(reactor, job["amqp_url"])
    await listen(broker, [user.workspace_id for user in users], heard)
    for _ in range(job["window"]):
        send(HttpConnection(reactor, "127.0.0.1", job["http_port"], answered))
    measured = await measurement.run(lambda: not answers.under_way and not notifications.under_way)
    measured["untold"] = notifications.faults
    await broker.say_goodbye(2.0)
    lost = [connection.lost for connection in asked if connection.lost]
    if lost:
        raise RuntimeError(f"{len(lost)} connections were lost: {lost[0]}")
    return measured


if __name__ == "__main__":
    drive(commit)
