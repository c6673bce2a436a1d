"""Memory: one arena, however many threads allocate."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from stacksync.allocator import share_one_arena

ARENAS_AFTER_THREADS = """
import ctypes, sys, threading
from stacksync.allocator import share_one_arena

if sys.argv[1] == "shared":
    assert share_one_arena()
together = threading.Barrier(8)

def allocate():
    together.wait()
    kept = [bytes(100_000) for _ in range(20)]
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc's allocator has arenas"
)


def arenas(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", ARENAS_AFTER_THREADS, how],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.count("<heap nr=")


def test_threads_share_one_arena() -> None:
    assert arenas("shared") == 1


def test_without_asking_they_have_several() -> None:
    assert arenas("separate") > 1


def test_asking_twice_does_no_harm() -> None:
    assert share_one_arena()
    assert share_one_arena()
