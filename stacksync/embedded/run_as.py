"""Which user the embedded servers run as.

PostgreSQL refuses to run as root, and a broker has no business to.  When we
are root the servers run as the system user ``stacksync``.  No directory that
existed before is opened up for that user: what it can't enter is named to the
operator instead.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from pathlib import Path

from attrs import frozen

from stacksync.embedded.deadline import Deadline
from stacksync.errors import ConfigurationError

SYSTEM_USER = "stacksync"


@frozen
class RunAs:
    """An unprivileged user for the servers that we start."""

    name: str
    uid: int
    gid: int

    def give(self, path: Path) -> None:
        """Make this user the owner of a file or directory (not of what is in it)."""
        os.chown(path, self.uid, self.gid)

    def blocked_at(self, path: Path) -> Path | None:
        """The outermost existing directory on the way to ``path`` that this user can't enter."""
        for directory in (*reversed(path.parents), path):
            if not directory.is_dir():
                return None
            status = directory.stat()
            if status.st_uid == self.uid:
                enter = stat.S_IXUSR
            elif status.st_gid == self.gid:
                enter = stat.S_IXGRP
            else:
                enter = stat.S_IXOTH
            if not status.st_mode & enter:
                return directory
        return None


def user_for(home: Path) -> RunAs | None:
    """The user to run servers below a directory: ``None`` (ourselves) unless we are root.

    Blocks; the system user is created when it is missing.

    :raises ConfigurationError: it can't be created, or can't enter the directory.
    """
    if os.geteuid() != 0:
        return None
    user = _system_user()
    blocked = user.blocked_at(home)
    if blocked is not None:
        raise ConfigurationError(
            f"servers do not run as root but as the user {user.name}, who can't enter {blocked}: "
            "choose a state directory elsewhere (STACKSYNC_HOME=/var/lib/stacksync), "
            "or don't run as root"
        )
    return user


def directory_for(path: Path, user: RunAs | None) -> None:
    """Create a private directory (mode 0700) for the servers' user; leave one that exists."""
    path.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        user.give(path)


def _system_user() -> RunAs:
    deadline = Deadline(10)
    while (user := _known()) is None:
        problem = _create()
        if problem is None:
            continue
        try:
            deadline.pause(0.2)  # another useradd may hold the lock of /etc/passwd
        except TimeoutError:
            raise ConfigurationError(
                f"servers do not run as root, and the system user {SYSTEM_USER} "
                f"can't be created: {problem}"
            ) from None
    return user


def _known() -> RunAs | None:
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None
    return RunAs(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create() -> str | None:
    command = ["useradd", "--system", "--user-group", "--no-create-home"]
    command += ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    except subprocess.CalledProcessError as error:
        return error.stderr.strip() or str(error)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None
