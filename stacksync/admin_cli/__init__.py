"""``stacksync-admin``: what the operator does to accounts, the database and the store.

Talks to those that the service uses, embedded or configured, through the
engine; the service may run meanwhile or not.  Results go to stdout, as
text or with ``--json`` as one JSON object; errors go to stderr.  Exit status:
0 done, 1 refused or failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from stacksync.admin_cli.arguments import CONFIG_VARIABLE, Arguments, parse
from stacksync.admin_cli.commands import Command, command_for
from stacksync.admin_cli.output import Answer, error_json, to_json
from stacksync.admin_cli.running import run
from stacksync.config import Config, default_home, load
from stacksync.errors import StackSyncError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit status.

    :param argv: the arguments without the program's name; else the process's own.
    """
    arguments = parse(sys.argv[1:] if argv is None else argv)
    try:
        answer = _answer(arguments)
    except StackSyncError as error:
        told = error_json(error) if arguments.json else f"stacksync-admin: {error}"
        sys.stderr.write(f"{told}\n")
        return 1
    text = to_json(answer.document) if arguments.json else "\n".join(answer.lines)
    sys.stdout.write(f"{text}\n" if text else "")
    return answer.status


def _answer(arguments: Arguments) -> Answer:
    path = arguments.config or os.environ.get(CONFIG_VARIABLE)
    config = load(path) if path else Config.embedded(default_home())
    command: Command = command_for(arguments, config)
    return run(lambda reactor: command(reactor, config))
