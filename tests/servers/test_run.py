"""A run leaves nothing behind, on the disk or in memory, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers.programs import REPOSITORY

_RUN = """
import sys
from tests.servers.run import TestRun

run = TestRun()
print(run.directory, run.new_directory_in_memory("few-files"), flush=True)
sys.stdin.read()
run.leave()
"""


@pytest.mark.parametrize("is_killed", [False, True])
def test_both_its_directories_go_with_a_run(tmp_path: Path, is_killed: bool) -> None:
    environment = {
        name: value for name, value in os.environ.items() if name != "STACKSYNC_TEST_RUN"
    }
    with subprocess.Popen(
        [sys.executable, "-c", _RUN],
        cwd=REPOSITORY,
        env={**environment, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        directory, in_memory = map(Path, process.stdout.readline().decode().split())
        assert directory.parent == tmp_path
        assert in_memory.is_dir()
        if is_killed:
            process.kill()
        else:
            process.communicate(timeout=60)

    end = time.monotonic() + 60
    while directory.exists() or in_memory.parent.exists():
        assert is_killed, "it did not wait until all was gone"
        assert time.monotonic() < end
        time.sleep(0.02)
