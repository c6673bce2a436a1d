"""Our two programs, ``twistd`` and ``stacksync-admin``, as processes of their own.

They are started as their users start them, or born in the nursery of the test
run (:mod:`tests.servers.nursery`), if there is one: importing is most of what a
start costs, and tests start hundreds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from tests.servers.nursery import Nursery

REPOSITORY = Path(__file__).parents[2]

SOURCES = {
    "twistd": "from twisted.scripts.twistd import run; run()",
    "stacksync-admin": "from stacksync.admin_cli import main; raise SystemExit(main())",
}


class Program(Protocol):
    """A process that was started; the methods of ``subprocess.Popen`` that we use."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


class Births:
    """Where programs begin: on their own, until there is a nursery."""

    def __init__(self) -> None:
        self._new_directory: Callable[[], Path] | None = None
        self._nurseries: dict[tuple[str, ...], Nursery] = {}

    def open_nursery(self, new_directory: Callable[[], Path]) -> None:
        """From now on all are born in a nursery, which begins with the first of them."""
        self._new_directory = new_directory

    def close_nursery(self) -> None:
        """No more are born there; those that were, live on."""
        self._new_directory = None
        for nursery in self._nurseries.values():
            nursery.close()
        self._nurseries.clear()

    @property
    def nursery(self) -> Nursery | None:
        """The nursery of our two programs, if one was opened."""
        return self.nursery_with()

    def nursery_with(self, *modules: str) -> Nursery | None:
        """One whose children find these modules imported; see :class:`Nursery`."""
        if modules not in self._nurseries and self._new_directory is not None:
            directory = self._new_directory()
            self._nurseries[modules] = Nursery(directory, environment_in(directory), *modules)
        return self._nurseries.get(modules)


BIRTHS = Births()
"""Of this process."""


def environment_in(directory: Path) -> dict[str, str]:
    """The environment of a StackSync program that keeps its state in ``directory/home``."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")])
        ),
        "HOME": str(directory),
        "STACKSYNC_HOME": str(directory / "home"),
        "LANG": "C.UTF-8",
    }


def begin(
    directory: Path,
    program: str,
    *arguments: str,
    output: Path,
    errors: Path | None = None,
    text: str = "",
    environment: Mapping[str, str],
) -> Program:
    """Start a program in a directory.

    :param program: one of :data:`SOURCES`.
    :param output: what it prints is appended to this file.
    :param errors: the same for its standard error; left out: goes to ``output``, too.
    :param text: its standard input.
    """
    nursery = BIRTHS.nursery
    if nursery is not None:
        return nursery.bear(
            *(program, *arguments),
            directory=directory,
            output=output,
            errors=errors or output,
            text=text,
            environment=environment,
        )
    with output.open("ab") as out, (errors or output).open("ab") as err:
        process = subprocess.Popen(
            [sys.executable, "-c", SOURCES[program], *arguments],
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=err,
        )
    assert process.stdin is not None
    with process.stdin as told:
        told.write(text.encode())
    return process
