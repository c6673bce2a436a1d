"""A process ends at the step that was ordered, and notes those that it has taken."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.servers.doomed import Moment, Orders, moments
from tests.servers.programs import environment_in

PROGRAM = """
import sys
from pathlib import Path
from tests.servers.killed_at import Steps

steps = Steps(Path(sys.argv[1]))
for name in ("write", "send", "write"):
    number = steps.before(name)
    print(name, flush=True)
    steps.after(name, number)
"""


def run(directory: Path) -> tuple[int, list[str]]:
    """The status of the program, and the steps that it has done."""
    command = [sys.executable, "-c", PROGRAM, str(directory)]
    answer = subprocess.run(
        command, env=environment_in(directory), capture_output=True, text=True, timeout=120
    )
    return answer.returncode, answer.stdout.split()


def test_steps_are_noted_and_counted_from_the_order_on(tmp_path: Path) -> None:
    orders = Orders(tmp_path)
    assert run(tmp_path) == (0, ["write", "send", "write"])
    assert orders.taken == []
    orders.record()
    run(tmp_path)
    assert orders.taken == ["write", "send", "write"]
    orders.record()
    assert orders.taken == []


def test_the_process_is_killed_before_or_after_the_step(tmp_path: Path) -> None:
    orders = Orders(tmp_path)
    orders.kill_at(Moment("write", 2, "before"))
    assert run(tmp_path) == (-signal.SIGKILL, ["write", "send"])
    orders.kill_at(Moment("send", 1, "after"))
    assert run(tmp_path) == (-signal.SIGKILL, ["write", "send"])
    orders.withdraw()
    assert run(tmp_path) == (0, ["write", "send", "write"])


def test_one_may_die_before_the_first_step_and_after_each() -> None:
    assert list(map(str, moments(["a", "b"]))) == ["before a (1)", "after a (1)", "after b (1)"]


def test_of_steps_that_come_again_the_first_and_the_last_stand_for_all() -> None:
    found = moments(["a", "copy", "copy", "copy", "b"])
    assert [(each.name, each.number) for each in found[2:]] == [("copy", 1), ("copy", 3), ("b", 1)]
