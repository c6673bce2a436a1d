"""How much memory a process has, and had at most (Linux; proc(5))."""

from __future__ import annotations

import re
from pathlib import Path

FORGET_PEAK = "5"


class Memory:
    """The resident memory of a process, in bytes."""

    def __init__(self, pid: int) -> None:
        self._directory = Path("/proc") / str(pid)

    @property
    def now(self) -> int:
        return self._field("VmRSS")

    @property
    def peak(self) -> int:
        """The most since the start, or since :meth:`forget_peak`."""
        return self._field("VmHWM")

    def forget_peak(self) -> None:
        (self._directory / "clear_refs").write_text(FORGET_PEAK)

    def _field(self, name: str) -> int:
        found = re.search(rf"^{name}:\s*(\d+) kB$", (self._directory / "status").read_text(), re.M)
        assert found is not None, f"no {name} in {self._directory}"
        return 1024 * int(found[1])
