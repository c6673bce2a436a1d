"""Look at, and end, processes that are not necessarily our children.

A process id in a file may be stale and belong to a stranger by now, so no
signal is sent before the command line has been compared.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from stacksync.embedded.deadline import Deadline

_PROC = Path("/proc")


def command_line(pid: int) -> str | None:
    """The arguments of a process, separated by spaces; ``None`` if it is gone or a zombie."""
    if (_PROC / "self").exists():
        try:
            raw = (_PROC / str(pid) / "cmdline").read_bytes()
        except OSError:
            return None
        return raw.replace(b"\0", b" ").decode(errors="surrogateescape").strip() or None
    answer = subprocess.run(
        ["ps", "-p", str(pid), "-o", "stat=,args="], capture_output=True, text=True, timeout=5
    )
    state, _, arguments = answer.stdout.strip().partition(" ")
    return None if state.startswith("Z") else arguments.strip() or None


def runs(pid: int, marker: str) -> bool:
    """Whether the process is alive and has the marker in its command line."""
    return marker in (command_line(pid) or "")


def end(pid: int, marker: str, sign: signal.Signals, deadline: Deadline) -> bool:
    """Signal the process if it is the one meant, and wait until it is gone.

    :returns: whether it is gone, and with it the files and ports that it had; false when
        the deadline passed first.
    """
    if not runs(pid, marker):
        return True
    with suppress(ProcessLookupError):
        os.kill(pid, sign)
    try:
        while runs(pid, marker) or _is_ending(pid):
            deadline.pause()
    except TimeoutError:
        return False
    return True


def _is_ending(pid: int) -> bool:
    """Whether it has given up its memory, with its command line, but nothing else yet."""
    process = _PROC / str(pid)
    try:
        status = (process / "stat").read_text().rpartition(") ")[2]
        threads = len(os.listdir(process / "task"))
    except OSError:
        return False
    return command_line(pid) is None and (status[:1] not in "ZX" or threads > 1)


def tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message; empty if there is no log."""
    try:
        with path.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - 16_384))
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
