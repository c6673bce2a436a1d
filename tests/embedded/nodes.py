"""The private node of a state directory, looked at from outside."""

from __future__ import annotations

import json
from pathlib import Path

from stacksync.embedded.node import Node, find_program
from stacksync.embedded.run_as import user_for


def node_pid(home: Path) -> int:
    return int(json.loads((home / "rabbitmq.json").read_text())["pid"])


def node_in(home: Path) -> Node:
    program = find_program()
    assert program is not None
    return Node(home / "rabbitmq", program, user_for(home))
