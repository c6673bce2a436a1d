"""File content through HTTP: one large file, many small ones, a small change of a large one.

Beside it the same bytes through nginx on the same disk, and through the disk
store alone.  nginx does not flush what it takes; the store does, every object.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import nginx
from bench.driver import DriverFailed, run_driver
from bench.extent import Extent
from bench.processor import memory, reset_peak
from bench.stage import Stage
from bench.users import User, sign_in

SMALL_BYTES = 10 * 1024
EDITED_BYTES = 64 * 1024**2
CHUNK_BYTES = 512 * 1024
CONNECTIONS = 8
SECONDS = 600.0
PIECE = 16 * 1024**2

Results = dict[str, Any]


def measure_content(stage: Stage, extent: Extent, user: User) -> Results:
    """Seconds of each transfer, bytes newly stored by the change, and the server's peak memory."""
    sign_in(stage, [user])
    sizes = {"large": [extent.large_bytes], "small": [SMALL_BYTES] * extent.small_files}
    with random_file(stage.directory / "content", max(map(sum, sizes.values()))) as source:
        ours = Ours(stage, user, source)
        results: Results = {"sizes": {name: sum(each) for name, each in sizes.items()}}
        for name, each in sizes.items():
            reset_peak(stage.server.pid)
            results[name] = ours.transfer(name, each)
            results[name]["memory"] = memory(stage.server.pid)
        with nginx.running(stage.directory / "nginx") as port:
            for name, each in sizes.items():
                results[name]["nginx"] = through_nginx(port, source, name, each)
        for name, each in sizes.items():
            results[name]["store"] = through_store(stage, name, each)
        results["edit"] = ours.edit()
    return results


class Ours:
    """Our server, as a client without an AMQP connection uses it."""

    def __init__(self, stage: Stage, user: User, source: Path) -> None:
        self._port = int(stage.server.http_url.rpartition(":")[2])
        self._headers = {"Authorization": user.authorization}
        self._source = source

    def transfer(self, name: str, sizes: list[int]) -> Results:
        ups = uploads(sizes, lambda place: ("POST", f"/api/file?name={name}-{place}"))
        up = self._drive(self._source, ups, keep_bodies=True)
        items = [json.loads(body) for body in up["bodies"]]
        if [item["size"] for item in items] != sizes:
            raise DriverFailed(f"{name}: other sizes were stored than were sent")
        downs = [{"method": "GET", "path": f"/api/file/{item['id']}/data"} for item in items]
        down = self._drive(self._source, downs)
        return {"up": up["seconds"], "down": down["seconds"]}

    def edit(self) -> Results:
        """One byte inserted into the middle of a file; how many bytes its new chunks hold."""
        with self._source.open("rb") as source:
            content = source.read(EDITED_BYTES)
        half = len(content) // 2
        before = self._put("POST", "/api/file?name=edited", content)
        path = f"/api/file/{before['id']}/data"
        after = self._put("PUT", path, content[:half] + b"!" + content[half:])
        new = set(after["chunks"]) - set(before["chunks"])
        return {
            "size": len(content),
            "new_chunks": len(new),
            "new_bytes": sum(int(chunk.rpartition("-")[2]) for chunk in new),
        }

    def _put(self, method: str, path: str, content: bytes) -> Results:
        source = self._source.with_suffix(".edited")
        source.write_bytes(content)
        try:
            transfers = [{"method": method, "path": path, "start": 0, "size": len(content)}]
            (body,) = self._drive(source, transfers, keep_bodies=True)["bodies"]
        finally:
            source.unlink()
        told: Results = json.loads(body)
        return told

    def _drive(self, source: Path, transfers: list[Results], keep_bodies: bool = False) -> Results:
        return drive(self._port, source, transfers, self._headers, keep_bodies)


def through_nginx(port: int, source: Path, name: str, sizes: list[int]) -> Results:
    ups = uploads(sizes, lambda place: ("PUT", f"/{name}-{place}"))
    downs = [{"method": "GET", "path": transfer["path"]} for transfer in ups]
    return {
        "up": drive(port, source, ups)["seconds"],
        "down": drive(port, source, downs)["seconds"],
    }


def through_store(stage: Stage, name: str, sizes: list[int]) -> Results:
    """The same bytes in objects as large as chunks are on average."""
    size = min(CHUNK_BYTES, sizes[0])
    job = {
        "directory": str(stage.directory / f"store-{name}"),
        "size": size,
        "objects": sum(sizes) // size,
        "at_a_time": CONNECTIONS if len(sizes) > 1 else 3,
    }
    settle()
    told = run_driver("store_driver", job, SECONDS)
    return {"up": told["put"], "down": told["get"]}


def uploads(sizes: list[int], request: Any) -> list[Results]:
    """Transfers of consecutive parts of the source file."""
    made, start = [], 0
    for place, size in enumerate(sizes):
        method, path = request(place)
        made.append({"method": method, "path": path, "start": start, "size": size})
        start += size
    return made


def drive(
    port: int,
    source: Path,
    transfers: list[Results],
    headers: dict[str, str] | None = None,
    keep_bodies: bool = False,
) -> Results:
    job = {
        "port": port,
        "source": str(source),
        "headers": headers or {},
        "transfers": transfers,
        "connections": min(CONNECTIONS, len(transfers)),
        "keep_bodies": keep_bodies,
    }
    settle()
    return run_driver("transfer_driver", job, SECONDS)


def settle() -> None:
    """Let the disk be done with what came before, so that nobody waits for another's bytes."""
    os.sync()


@contextmanager
def random_file(path: Path, size: int) -> Iterator[Path]:
    """A file of random bytes, which no one can compress or know already."""
    with path.open("wb") as file:
        for start in range(0, max(size, EDITED_BYTES), PIECE):
            file.write(os.urandom(min(PIECE, max(size, EDITED_BYTES) - start)))
        os.fsync(file.fileno())
    try:
        yield path
    finally:
        path.unlink()
