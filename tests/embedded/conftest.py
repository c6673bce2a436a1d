"""State directories, and other processes that share them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from attrs import frozen

from tests.servers.sweeper import mentioning, remaining, sweep

_REPOSITORY = Path(__file__).parents[2]


class Holder:
    """Another process that uses the embedded server of a state directory."""

    def __init__(self, kind: str, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.embedded.holder", kind, str(home)],
            cwd=_REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def url(self) -> str:
        """Where its server is; waits until it is up."""
        assert self._process.stdout is not None
        url = self._process.stdout.readline().strip()
        assert url, "the process ended"
        return url

    def leave(self) -> None:
        """Let it end in order."""
        self._process.communicate(timeout=180)
        assert self._process.returncode == 0

    def kill(self) -> None:
        """Kill it (SIGKILL), if it runs."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def home(new_directory: Callable[[str], Path]) -> Iterator[Path]:
    """A state directory; what still runs in it afterwards is killed."""
    path = new_directory("home")
    yield path
    sweep(path)


@pytest.fixture
def start_holder(home: Path) -> Iterator[Callable[[str], Holder]]:
    """Starts another process that uses the state directory's server of a kind."""
    with ExitStack() as holders:

        def start(kind: str) -> Holder:
            holder = Holder(kind, home)
            holders.callback(holder.kill)
            return holder

        yield start


@frozen
class Processes:
    """Whatever has to do with a state directory."""

    home: Path

    @property
    def ids(self) -> list[int]:
        return mentioning(self.home)

    @property
    def remaining(self) -> list[int]:
        """The same, when they have had the time to end."""
        return remaining(self.home)


@pytest.fixture
def processes(home: Path) -> Processes:
    return Processes(home)
