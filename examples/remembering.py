"""What the examples remember from run to run: cursors, devices, tokens."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any


class Memory:
    """A small JSON file below the XDG state directory; several examples may share it.

    Only its owner can read it: a token is as good as a password.
    """

    def __init__(self) -> None:
        state = os.environ.get("XDG_STATE_HOME", "")
        base = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
        self._file = base / "stacksync-examples" / "memory.json"

    def recall(self, *key: str) -> Any:
        """What was remembered under this key, or ``None``."""
        return self._read().get("/".join(key))

    def remember(self, value: Any, *key: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = self._read() | {"/".join(key): value}
            new = self._file.with_suffix(".new")
            new.unlink(missing_ok=True)
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(known, file, indent=1)
            new.replace(self._file)

    def _read(self) -> dict[str, Any]:
        try:
            known: dict[str, Any] = json.loads(self._file.read_text())
        except (OSError, ValueError):
            known = {}
        return known
