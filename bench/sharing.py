"""Folders that people share: making one, committing to one, a root with many of them.

Each beside what it is without sharing: a private workspace, a root of as many
plain folders.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from statistics import median
from time import monotonic, perf_counter, sleep
from typing import Any

from bench.changes import ITEMS_PER_COMMIT
from bench.commits import CommitBenchmark
from bench.driver import DriverFailed
from bench.extent import Extent
from bench.stage import Stage
from bench.users import User, ask, make_users, sign_in
from bench.wire import MODIFIED

MEMBERS = 10
MOUNTS = 100
CHUNKS_PER_FILE = 10
CHUNK = b"a chunk, the size of which is nothing that sharing looks at"
CONNECTIONS = 8
SECONDS = 60.0
JOBS_TAKE = 300.0

UNFINISHED = "SELECT count(*) FROM job WHERE finished_at IS NULL AND kind <> 'remove-container'"

Results = dict[str, Any]


def measure_sharing(stage: Stage, extent: Extent) -> Results:
    """Milliseconds of each step, and commits per second."""
    owner, *guests = make_users(stage, MEMBERS, "sharer")
    lister, mounter = make_users(stage, 2, "lister")
    sign_in(stage, [owner, *guests, lister, mounter])
    return {
        "listing": measure_listing(stage, extent, owner, lister, mounter),
        "commits": measure_commits(stage, extent, owner, guests, lister, mounter),
        "large": measure_large(stage, extent, owner, guests[0]),
    }


def measure_listing(
    stage: Stage, extent: Extent, owner: User, lister: User, mounter: User
) -> Results:
    """Milliseconds to list a root of plain folders, and one of as many shared ones."""
    for number in range(MOUNTS):
        make_folder(stage, lister, f"plain {number}")
        share(stage, owner, make_folder(stage, owner, f"shared {number}"), [mounter])
    wait_for_jobs(stage)
    stage.execute("VACUUM ANALYZE")
    samples = 10 * extent.changes_samples
    told = {name: [] for name in ("plain", "mounted")}  # type: dict[str, list[float]]
    with closing(Line(stage)) as line:
        # In turn, so that both suffer alike from what else the machine does.
        for _ in range(samples):
            for name, user in (("plain", lister), ("mounted", mounter)):
                seconds, body = line.ask(user, "GET", "/api/folder/0/contents")
                check(len(json.loads(body)["contents"]) == MOUNTS, f"{name} folders are missing")
                told[name].append(1000 * seconds)
    return {"mounts": MOUNTS, **{name: median(times) for name, times in told.items()}}


def measure_commits(
    stage: Stage, extent: Extent, owner: User, guests: list[User], lister: User, mounter: User
) -> Results:
    """Commits per second to a workspace of many members, and to private ones of one each.

    ``private`` is of somebody who shares nothing, ``mounted`` of somebody with many mounts.
    """
    folder = make_folder(stage, owner, "busy")
    shared_id = share(stage, owner, folder, guests)
    wait_for_jobs(stage)
    shared = User(owner.email, owner.account_id, owner.device_id, shared_id)
    workspaces = {"private": lister, "mounted": mounter, "shared": shared}
    rates: dict[str, list[float]] = {name: [] for name in workspaces}
    # Forth and back, so that all suffer alike from what else the machine does.
    for name in (*workspaces, *reversed(workspaces)):
        measured = CommitBenchmark(stage, extent, [workspaces[name]]).throughput("amqp")
        rates[name].append(measured["per_second"])
    return {"members": MEMBERS, **{name: median(found) for name, found in rates.items()}}


def measure_large(stage: Stage, extent: Extent, owner: User, guest: User) -> Results:
    """Milliseconds to propose and to accept a large folder, seconds until its chunks are copied.

    The same folder each time: it is unshared in between.
    """
    folder = fill(stage, owner, extent.shared_files)
    stage.execute("VACUUM ANALYZE")
    times: dict[str, list[float]] = {name: [] for name in ("propose", "accept", "unshare", "copy")}
    with closing(Line(stage)) as line:
        for _ in range(extent.shared_samples):
            stage.settle()
            propose, _ = line.ask(owner, "POST", f"/api/folder/{folder}/share", [guest.email])
            (waiting,) = ask(stage.server.http_url, guest, "GET", "/api/shares")["shares"]
            accept, _ = line.ask(guest, "POST", f"/api/shares/{waiting['id']}/accept", {})
            times["copy"].append(wait_for_jobs(stage))
            unshare, _ = line.ask(owner, "POST", f"/api/folder/{folder}/unshare", [guest.email])
            wait_for_jobs(stage)
            for name, seconds in (("propose", propose), ("accept", accept), ("unshare", unshare)):
                times[name].append(1000 * seconds)
    files = extent.shared_files
    return {
        "items": files,
        "chunks": files * CHUNKS_PER_FILE,
        **{name: median(found) for name, found in times.items()},
    }


def fill(stage: Stage, user: User, files: int) -> int:
    """A folder with so many files, whose chunks are there; the folder's id."""
    folder = make_folder(stage, user, "large")
    chunks = [[f"part-{file}-{n}" for n in range(CHUNKS_PER_FILE)] for file in range(files)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda part: put_chunks(stage, user, part), parted(chunks)))
    for start in range(0, files, ITEMS_PER_COMMIT):
        items = [
            {
                "version": 1,
                "status": "NEW",
                "modified_at": MODIFIED,
                "parent_id": folder,
                "filename": f"document {number}",
                "is_folder": False,
                "size": 4096,
                "checksum": 3_141_592_653,
                "mimetype": "text/plain",
                "chunks": names,
            }
            for number, names in enumerate(chunks[start : start + ITEMS_PER_COMMIT], start)
        ]
        path = f"/api/workspaces/{user.workspace_id}/commits"
        body = {"device_id": user.device_id, "items": items}
        answer = ask(stage.server.http_url, user, "POST", path, body)
        check(all(each["committed"] for each in answer["items"]), "a file was refused")
    return folder


def parted(chunks: list[list[str]]) -> list[list[str]]:
    """All names, a list for each connection."""
    names = [name for each in chunks for name in each]
    return [names[place::CONNECTIONS] for place in range(CONNECTIONS)]


def put_chunks(stage: Stage, user: User, names: list[str]) -> None:
    with closing(Line(stage)) as line:
        for name in names:
            line.ask(user, "PUT", f"/api/workspaces/{user.workspace_id}/chunks/{name}", CHUNK)


def make_folder(stage: Stage, user: User, name: str) -> int:
    answer = ask(stage.server.http_url, user, "POST", "/api/folder", {"name": name})
    return int(answer["id"])


def share(stage: Stage, owner: User, folder: int, guests: list[User]) -> str:
    """Share a folder with guests, who accept; the id of the workspace that it is."""
    url = stage.server.http_url
    ask(url, owner, "POST", f"/api/folder/{folder}/share", [guest.email for guest in guests])
    workspace = ""
    for guest in guests:
        (waiting,) = ask(url, guest, "GET", "/api/shares")["shares"]
        workspace = ask(url, guest, "POST", f"/api/shares/{waiting['id']}/accept", {})["id"]
    return workspace


def wait_for_jobs(stage: Stage) -> float:
    """Wait until nothing is left to do; how many seconds that took.

    :raises DriverFailed: it takes too long.
    """
    started = monotonic()
    while stage.execute(UNFINISHED):
        if monotonic() - started > JOBS_TAKE:
            raise DriverFailed(f"jobs are not done within {JOBS_TAKE:g} s")
        sleep(0.02)
    return monotonic() - started


def check(condition: bool, problem: str) -> None:
    """:raises DriverFailed: what was measured is not what it should be."""
    if not condition:
        raise DriverFailed(problem)


class Line:
    """A connection to the server that stays open."""

    def __init__(self, stage: Stage) -> None:
        port = int(stage.server.http_url.rpartition(":")[2])
        self._connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)

    def close(self) -> None:
        self._connection.close()

    def ask(self, user: User, method: str, path: str, body: Any = None) -> tuple[float, bytes]:
        """How many seconds an answer took, and its body.

        :param body: to be sent as JSON; bytes are sent as they are.
        :raises DriverFailed: it is no success.
        """
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": user.authorization, "Content-Type": "application/json"}
        started = perf_counter()
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        told = answer.read()
        seconds = perf_counter() - started
        check(answer.status < 300, f"{method} {path}: {answer.status} {told[:300]!r}")
        return seconds, told
