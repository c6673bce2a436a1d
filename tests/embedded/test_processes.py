"""A process is gone when what it had is free again."""

from __future__ import annotations

import signal
import subprocess
import sys

from stacksync.embedded.deadline import Deadline
from stacksync.embedded.ports import choose, is_free
from stacksync.embedded.processes import end

# Its memory goes first, and with it the command line; then the files, in a busy machine's own time.
SLOW_TO_END = """
import ctypes, os, signal, socket, sys, threading, time

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
asked = threading.Event()

def linger():
    asked.wait()
    time.sleep(0.3)
    os._exit(0)

def leave(*_):
    asked.set()
    ctypes.CDLL(None).pthread_exit(None)

threading.Thread(target=linger).start()
signal.signal(signal.SIGTERM, leave)
print("listens", flush=True)
while True:
    time.sleep(60)
"""


def test_a_process_that_is_about_to_end_is_waited_for_until_its_port_is_free() -> None:
    (port,) = choose(1)
    command = [sys.executable, "-c", SLOW_TO_END, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"listens\n"
        assert end(process.pid, SLOW_TO_END[:20], signal.SIGTERM, Deadline(30))
        assert is_free(port)
