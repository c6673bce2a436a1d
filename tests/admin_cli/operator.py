"""Somebody who types ``stacksync-admin``, and what there is to look after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.servers.programs import SOURCES, environment_in
from tests.servers.stacksync import run_admin

ADMIN = SOURCES["stacksync-admin"]


class Caretaker:
    """An operator with settings for a database and a store of their own.

    :param directory: for the settings and the store.
    """

    def __init__(self, directory: Path, database_url: str, retention: str = "") -> None:
        self.directory = directory
        self.objects = directory / "objects"
        self.settings = directory / "stacksync.ini"
        self.settings.write_text(
            f"[service]\nhome = {directory / 'home'}\n"
            f"[database]\nurl = {database_url}\nwait_timeout = 30s\n"
            f"[storage]\ndirectory = {self.objects}\n[retention]\n{retention}"
        )

    def types(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_admin(self.directory, "-c", str(self.settings), *arguments)

    def begins(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and leave it running."""
        return subprocess.Popen(
            [
                sys.executable,
                "-c",
                ADMIN,
                "-c",
                str(self.settings),
                *arguments,
            ],
            env=environment_in(self.directory),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell in the background would have had it ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    def on_a_terminal(self, *arguments: str) -> tuple[int, str]:
        """Exit status of a command, and what a terminal has shown on stderr."""
        controlling, terminal = os.openpty()
        with subprocess.Popen(
            [
                sys.executable,
                "-c",
                ADMIN,
                "-c",
                str(self.settings),
                *arguments,
            ],
            env=environment_in(self.directory) | {"TERM": "vt100"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=terminal,
        ) as process:
            os.close(terminal)
            shown = b""
            try:
                while piece := os.read(controlling, 65536):
                    shown += piece
            except OSError:
                # The other end is closed.
                pass
            os.close(controlling)
            return process.wait(60), shown.decode()


def age(objects: Path, seconds: float) -> None:
    """Let every object be that old."""
    then = time.time() - seconds
    for path in (objects / "containers").rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))
