"""Files that have a secret in them: at no moment may anybody but the one they are for read them."""

from __future__ import annotations

import os
from pathlib import Path

from stacksync.embedded.run_as import RunAs


def write_private(path: Path, text: str, user: RunAs | None = None) -> None:
    """Write a file of mode 0600, in one go.

    :param path: in a directory where nobody but we and ``user`` may make files.
    :param user: whose it is to be; ``None``: ours.
    """
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        if user is not None:
            os.fchown(descriptor, user.uid, user.gid)
        file.write(text)
    new.replace(path)
