"""``stacksync-admin fsck``: says what cannot be right, and puts right what can be put right."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet.defer import CancelledError

from stacksync.admin_cli.arguments import Arguments
from stacksync.admin_cli.output import INTERRUPTED, Answer, printable, size
from stacksync.admin_cli.progress import ProgressLine
from stacksync.admin_cli.session import engine
from stacksync.config import Config
from stacksync.engine.check import Check, Finding


async def check_all(reactor: Any, config: Config, arguments: Arguments) -> Answer:
    """Look through everything; cut short, tell what has been found until then."""
    progress = ProgressLine(sys.stderr, reactor.seconds, wanted=not arguments.json)
    interrupted = False
    async with engine(reactor, config) as opened:
        check = Check(
            reactor,
            opened.database,
            opened.store,
            opened.engine.content.threads,
            opened.engine.devices,
            repair=arguments.repair,
            content=arguments.content,
            progress=progress,
        )
        started = reactor.seconds()
        try:
            await check.run()
        except CancelledError:
            interrupted = True
        finally:
            progress.clear()
        took = reactor.seconds() - started
    findings = check.findings
    document = {
        "problems": [finding_json(each) for each in findings.kept],
        "omitted": findings.omitted,
        "remaining": findings.remaining,
        "notes": check.notes,
        "workspaces": check.workspaces,
        "chunks": check.chunks,
        "bytes": check.bytes,
        "seconds": round(took, 3),
        "interrupted": interrupted,
    }
    lines = [*map(described, findings.kept), *summary(check, took, arguments)]
    if interrupted:
        lines.append("Interrupted: this is what was found until then.")
    status = 1 if findings.remaining else 0
    return Answer(document, lines, INTERRUPTED if interrupted else status)


def finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "message": finding.message,
        "owner": finding.owner,
        "workspace": str(finding.workspace_id) if finding.workspace_id is not None else None,
        "item": finding.item_id,
        "version": finding.version,
        "chunks": list(finding.chunks),
        "repaired": finding.repaired,
        "outcome": finding.outcome,
    }


def described(finding: Finding) -> str:
    """One problem in one line: whose, where, what, and what became of it."""
    place = finding.owner
    if finding.workspace_id is not None:
        place += f", workspace {finding.workspace_id}"
    outcome = ""
    if finding.outcome:
        outcome = f" - {'repaired: ' if finding.repaired else ''}{finding.outcome}"
    return printable(f"{place}: {finding.message}{outcome}")


def summary(check: Check, took: float, arguments: Arguments) -> list[str]:
    found = len(check.findings.kept) + check.findings.omitted
    lines = []
    if check.findings.omitted:
        lines.append(f"… and {check.findings.omitted} more")
    lines += [f"Note: {note}." for note in check.notes]
    read = f", {size(check.bytes)} of content read" if arguments.content else ""
    lines.append(
        f"{plural(check.workspaces, 'workspace')}, {plural(check.chunks, 'chunk')}{read}"
        f" in {took:.1f} s."
    )
    remaining = check.findings.remaining
    if not found:
        lines.append("No problems were found.")
    elif not remaining:
        lines.append(f"{plural(found, 'problem')} found, all repaired.")
    elif arguments.repair:
        lines.append(f"{plural(found, 'problem')} found, {remaining} could not be repaired.")
    else:
        lines.append(f"{plural(found, 'problem')} found; --repair puts right what can be.")
    return lines


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
