"""The state directory: where the embedded default keeps everything."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from stacksync.errors import ConfigurationError


def prepare(home: Path) -> Path:
    """Create the state directory if it is missing, closed to others.

    Root's has mode 0711: the servers' user must pass to its own directories,
    all of which are closed to others.  One that exists keeps its mode.

    :returns: its real path, without symbolic links, by which all processes
        that share it know it.
    :raises ConfigurationError: it can't be created, or is somebody else's.
    """
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        if not home.is_dir():
            home.mkdir(mode=0o700)
            if os.geteuid() == 0:
                home.chmod(0o711)
    except OSError as error:
        raise ConfigurationError(f"the state directory {home} can't be created: {error}") from error
    owner = home.stat().st_uid
    if owner != os.geteuid():
        raise ConfigurationError(
            f"the state directory {home} belongs to the user {_name(owner)}: run this as that user"
        )
    return home.resolve()


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
