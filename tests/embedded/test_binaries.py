"""PostgreSQL's programs are found in the package, or the operator is told what to install."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stacksync.embedded.binaries import find_binaries
from stacksync.embedded.run_as import RunAs, user_for
from stacksync.errors import ConfigurationError


def version(binaries: Path, user: RunAs | None = None) -> str:
    return subprocess.run(
        [str(binaries / "postgres"), "--version"],
        check=True,
        capture_output=True,
        text=True,
        user=user.uid if user is not None else None,
        cwd="/",
    ).stdout


def test_the_newest_version_in_the_package_is_taken(tmp_path: Path) -> None:
    assert version(find_binaries(None, tmp_path)).startswith("postgres (PostgreSQL) 18.")


def test_without_the_package_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'stacksync\[embedded\]'"):
        find_binaries(None, tmp_path)


def test_a_package_without_programs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stacksync.embedded.binaries._package", lambda: tmp_path)
    with pytest.raises(ConfigurationError, match=f"{tmp_path} holds no PostgreSQL"):
        find_binaries(None, tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")
def test_programs_out_of_reach_are_copied_once(
    new_directory: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = new_directory("copies")
    user = user_for(directory)
    assert user is not None
    original = find_binaries(None, directory)
    monkeypatch.setattr(
        RunAs,
        "blocked_at",
        lambda self, path: path if path.is_relative_to(original.parent) else None,
    )
    copied = find_binaries(user, directory)
    assert copied.is_relative_to(directory)
    assert version(copied, user) == version(original)
    # initdb needs the shared libraries that lie beside the package.
    subprocess.run([str(copied / "initdb"), "--version"], check=True, user=user.uid, cwd="/")
    made = copied.stat().st_ino
    assert find_binaries(user, directory).stat().st_ino == made
