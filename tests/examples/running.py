"""Runs the examples as a person would: each as a process of its own.

Born in a nursery, unless they are to run in another way: to import what they need is most of what
they cost.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests
from attrs import frozen

from tests.servers.programs import BIRTHS, Program
from tests.servers.stacksync import KnownUser

EVEN_ROOT_MAY_NOT = (
    ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
)
"""Before a command: permissions of files count for it, whoever runs it."""

EXAMPLES = Path(__file__).parents[2] / "examples"


@frozen
class Person:
    """Somebody with an account, and the ways to it.

    :ivar state: the directory in which the examples keep what they remember.
    """

    user: KnownUser
    amqp_url: str
    http_url: str
    state: Path

    def options(self, via: str) -> list[str]:
        url = self.amqp_url if via == "amqp" else self.http_url
        return ["--via", via, "--url", url, "--email", self.user.email]

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.state),
            "XDG_STATE_HOME": str(self.state),
            "STACKSYNC_PASSWORD": self.user.password,
            "LANG": "C.UTF-8",
        }

    def commit_tree(self, directory: Path, via: str, *options: str) -> Finished:
        """Run ``commit_tree.py`` to its end."""
        return self.start_commit_tree(directory, via, *options).end()

    def start_commit_tree(
        self, directory: Path, via: str, *options: str, before: Sequence[str] = ()
    ) -> Running:
        arguments = (str(directory), *self.options(via), *options)
        return Running(self, "commit_tree.py", *arguments, before=before)

    def watch(self, via: str, *options: str) -> Running:
        """Start ``watch.py``."""
        return Running(self, "watch.py", *self.options(via), *options)

    def get(self, path: str) -> Any:
        """What the REST API answers to this person."""
        auth = (self.user.email, self.user.password)
        answer = requests.get(f"{self.http_url}/api/{path}", auth=auth, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def workspace(self) -> dict[str, Any]:
        (found,) = self.get("workspaces")["workspaces"]
        return dict(found)

    def wait_for_revision(self, revision: int, seconds: float = 90.0) -> None:
        """Wait until the workspace has got there."""
        deadline = time.monotonic() + seconds
        while self.workspace()["latest_revision"] < revision:
            assert time.monotonic() < deadline, f"not at revision {revision} in {seconds:g} s"
            time.sleep(0.01)

    def wait_until_quiet(self, seconds: float = 90.0) -> None:
        """Wait until the workspace stays at a revision for a moment."""
        deadline = time.monotonic() + seconds
        seen: list[int] = []
        while len(seen) < 20 or len(set(seen[-20:])) > 1:
            assert time.monotonic() < deadline, f"still moving after {seconds:g} s: {seen[-20:]}"
            seen.append(self.workspace()["latest_revision"])
            time.sleep(0.01)

    def items(self) -> dict[str, dict[str, Any]]:
        """All live items by path."""
        paths: dict[int, str] = {}
        found = {}
        for item in self.get(f"workspaces/{self.workspace()['id']}/changes")["items"]:
            above = f"{paths[item['parent_id']]}/" if item["parent_id"] is not None else ""
            paths[item["id"]] = above + item["filename"]
            found[paths[item["id"]]] = item
        return found


@frozen
class Finished:
    """An example that has ended.

    :ivar text: what it wrote, stdout and stderr together.
    """

    status: int
    text: str

    @property
    def summary(self) -> str:
        return self.text.splitlines()[-1]


class Running:
    """An example that runs."""

    def __init__(
        self, person: Person, script: str, *arguments: str, before: Sequence[str] = ()
    ) -> None:
        person.state.mkdir(exist_ok=True)
        self._output = person.state / f"{script}-{time.monotonic_ns()}.out"
        nursery = None if before else BIRTHS.nursery_with("pika", "requests", "tqdm")
        self._process: Program
        if nursery is not None:
            self._process = nursery.bear(
                *(str(EXAMPLES / script), *arguments),
                directory=Path.cwd(),
                output=self._output,
                errors=self._output,
                environment=person.environment(),
            )
            return
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [*before, sys.executable, "-u", str(EXAMPLES / script), *arguments],
                env=person.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def text(self) -> str:
        return self._output.read_text(errors="replace")

    def wait_for(self, text: str, seconds: float = 90.0) -> None:
        """Wait until it has written this."""
        deadline = time.monotonic() + seconds
        while text not in self.text:
            assert self._process.poll() is None, f"it ended without {text!r}:\n{self.text}"
            assert time.monotonic() < deadline, f"no {text!r} in {seconds:g} s:\n{self.text}"
            time.sleep(0.02)

    def end(self, seconds: float = 180.0) -> Finished:
        """Wait for its end."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it still runs after {seconds:g} s:\n{self.text}") from None
        return Finished(status, self.text)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
