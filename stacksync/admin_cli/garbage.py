"""``stacksync-admin gc``: removes what is not kept any more, and says what that was."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from twisted.internet.defer import CancelledError

from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.output import INTERRUPTED, Answer, size
from stacksync.admin_cli.progress import ProgressLine
from stacksync.admin_cli.session import engine
from stacksync.config import Config
from stacksync.config.values import write_duration
from stacksync.engine.garbage import SAFE_GRACE, Collected, GarbageCollection

Row = tuple[int, str, str]


async def collect_garbage(reactor: Any, config: Config, arguments: Arguments) -> Answer:
    """Collect; cut short, tell what has been removed until then."""
    progress = ProgressLine(sys.stderr, reactor.seconds, wanted=not arguments.json)
    async with engine(reactor, config) as opened:
        collection = GarbageCollection(
            reactor,
            opened.database.dsn,
            opened.store,
            config.retention,
            timedelta(seconds=arguments.older_than),
            settle=config.http.request_timeout,
            dry_run=arguments.dry_run,
            progress=progress,
        )
        interrupted = False
        audit_lines = 0
        try:
            await collection.run()
            audit_lines = await opened.engine.audit.prune(dry_run=arguments.dry_run)
        except CancelledError:
            interrupted = True
        finally:
            progress.clear()
    collected = sorted(
        collection.collected.values(),
        key=lambda each: (each.workspace.owner_email, each.workspace.id),
    )
    document = {
        "dry_run": arguments.dry_run,
        "interrupted": interrupted,
        "workspaces": [workspace_json(each) for each in collected],
        "unknown_containers": collection.unknown_containers,
        "audit_lines": audit_lines,
    }
    lines = described(collected, dry_run=arguments.dry_run)
    if audit_lines:
        would = "would be" if arguments.dry_run else "were"
        lines = lines if collected else []
        lines.append(f"Old lines of the audit: {audit_lines} {would} removed.")
    if timedelta(seconds=arguments.older_than) < SAFE_GRACE:
        lines.append(
            f"Chunks older than {write_duration(arguments.older_than)} were looked at: that is safe"
            " only while nobody uploads or commits."
        )
    lines.extend(
        f"Container {name} belongs to no workspace of this database and was left alone."
        for name in collection.unknown_containers
    )
    if interrupted:
        lines.append("Interrupted: nothing is half done, and the next gc goes on.")
    return Answer(document, lines, INTERRUPTED if interrupted else 0)


def workspace_json(collected: Collected) -> dict[str, Any]:
    return {
        "id": str(collected.workspace.id),
        "owner": collected.workspace.owner_email,
        "versions": collected.forgotten.versions,
        "items": collected.forgotten.items,
        "uploads": collected.forgotten.uploads,
        "chunks": collected.swept.chunks,
        "bytes": collected.swept.bytes,
    }


def described(collected: list[Collected], *, dry_run: bool) -> list[str]:
    """A line for each workspace that anything went from."""
    would = "would be " if dry_run else ""
    lines = [
        f"{each.workspace.owner_email}, workspace {each.workspace.id}:"
        f" {', '.join(parts(each))} {would}removed"
        for each in collected
    ]
    if not collected:
        return ["There is nothing to remove."]
    freed = sum(each.swept.bytes for each in collected)
    return [*lines, f"{size(freed)} {'would be' if dry_run else 'were'} freed in the store."]


def parts(collected: Collected) -> list[str]:
    forgotten, swept = collected.forgotten, collected.swept
    rows: list[Row] = [
        (forgotten.versions, "earlier version", "earlier versions"),
        (forgotten.items, "deleted item", "deleted items"),
        (forgotten.uploads, "expired upload", "expired uploads"),
        (swept.chunks, "chunk", "chunks"),
    ]
    told = [f"{count} {one if count == 1 else many}" for count, one, many in rows if count]
    if swept.chunks:
        told[-1] += f" ({size(swept.bytes)})"
    return told
