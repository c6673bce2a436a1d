"""Who uses an embedded server is known even of processes that were killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from stacksync.embedded.claim import Claim
from stacksync.embedded.deadline import Deadline
from stacksync.errors import Unavailable

HOLDER = """
import sys
from pathlib import Path
from stacksync.embedded.claim import Claim
claim = Claim(Path(sys.argv[1]), "server")
claim.take()
print("taken", flush=True)
sys.stdin.read()
"""


def test_the_only_user_is_the_last(tmp_path: Path) -> None:
    claim = Claim(tmp_path, "server")
    claim.take()
    assert claim.release()


def test_whoever_has_no_claim_is_not_the_last(tmp_path: Path) -> None:
    claim = Claim(tmp_path, "server")
    assert not claim.release()


def test_the_first_to_leave_is_not_the_last(tmp_path: Path) -> None:
    first, second = Claim(tmp_path, "server"), Claim(tmp_path, "server")
    first.take()
    second.take()
    assert not first.release()
    assert second.release()


def test_a_killed_process_has_no_claim(tmp_path: Path) -> None:
    claim = Claim(tmp_path, "server")
    claim.take()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"taken\n"
        assert not claim.release()
        claim.take()
        holder.kill()
        holder.wait()
    assert claim.release()


def test_starting_and_stopping_exclude_each_other(tmp_path: Path) -> None:
    one, other = Claim(tmp_path, "server"), Claim(tmp_path, "server")
    began = time.monotonic()
    with (
        one.exclusive(Deadline(1)),
        pytest.raises(Unavailable, match=f"server: another process .* {tmp_path}"),
        other.exclusive(Deadline(0.1)),
    ):
        pass
    assert time.monotonic() - began >= 0.1
    with other.exclusive(Deadline(1)):
        pass
