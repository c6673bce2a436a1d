"""The interpreter that has Keystone and Swift: theirs alone, so that no version is in the way."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "STACKSYNC_OPENSTACK_PYTHON"
_REPOSITORY = Path(__file__).parents[3]
_MADE_BY_MAKE = _REPOSITORY / ".venv" / "openstack" / "bin" / "python"
_REQUIREMENTS = Path(__file__).with_name("requirements.txt").relative_to(_REPOSITORY)


def find_interpreter() -> Path:
    """What ``STACKSYNC_OPENSTACK_PYTHON`` names, else what ``make test`` installed.

    :raises AssertionError: there is none; the message says how to get one.
    """
    named = os.environ.get(VARIABLE)
    path = Path(named) if named else _MADE_BY_MAKE
    assert path.exists(), (
        f"This test needs Keystone and Swift, and there is no {path}. "
        f"Run `make test`, or `make openstack` once; or install {_REQUIREMENTS} into an "
        f"environment of its own and let {VARIABLE} name its python."
    )
    return path
