"""Erlang's own programs, as far as a private node needs them; they block."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress

from stacksync.embedded.deadline import Deadline
from stacksync.embedded.ports import LOOPBACK, is_free
from stacksync.embedded.run_as import RunAs

_CALL = "/usr/lib/erlang/bin/erl_call"


def call(node: str, what: str, environment: Mapping[str, str], user: RunAs | None) -> None:
    """Let a running node call a function; it is no matter if that can't be done.

    :param what: module, function and arguments, as ``erl_call -a`` has them.
    :param environment: has the node's ``HOME``, where the cookie is: on a command
        line everybody could read it.
    :param user: as whom the node runs.
    """
    program = shutil.which("erl_call") or _CALL
    # Two callers of the same name would keep each other out.
    command = [program, "-h", f"caller-{os.getpid()}", "-sname", node, "-a", what]
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            command,
            env=environment,
            capture_output=True,
            timeout=5,
            user=user.uid if user is not None else None,
            group=user.gid if user is not None else None,
            extra_groups=[] if user is not None else None,
        )


def end_name_daemon(port: int, deadline: Deadline) -> None:
    """End the name daemon (epmd) on this port, if nobody has a name there any more."""
    program = shutil.which("epmd")
    if program is None:
        return
    with suppress(TimeoutError):
        while not is_free(port):
            subprocess.run(
                [program, "-port", str(port), "-kill"],
                env={"ERL_EPMD_ADDRESS": LOOPBACK},
                capture_output=True,
                timeout=5,
            )
            deadline.pause(0.05)
