"""Servers do not run as root, and nothing is opened up for the user they run as."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stacksync.embedded.run_as import RunAs, user_for
from stacksync.errors import ConfigurationError

STRANGER = RunAs("stranger", 54_321, 54_321)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has a user to change to")


def test_a_closed_parent_is_found(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "below").mkdir(parents=True)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
            closed = parent  # pytest's own directory is closed as well
    (tmp_path / "closed").chmod(0o700)
    assert STRANGER.blocked_at(tmp_path / "closed" / "below") == closed


def test_an_open_path_is_let_through() -> None:
    assert STRANGER.blocked_at(Path("/usr/lib")) is None


def test_the_owners_own_bits_count() -> None:
    status = Path("/usr/lib").stat()
    owner = RunAs("owner", status.st_uid, 54_321)
    assert owner.blocked_at(Path("/usr/lib")) is None


@as_root
def test_a_home_below_a_closed_directory_is_refused_and_left_closed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    home = closed / "stacksync"
    home.mkdir(parents=True)
    closed.chmod(0o700)
    modes = [path.stat().st_mode for path in (home, *home.parents)]
    with pytest.raises(ConfigurationError, match=r"who can't enter /\S+: choose a state directory"):
        user_for(home)
    assert [path.stat().st_mode for path in (home, *home.parents)] == modes


@as_root
def test_root_gets_an_unprivileged_user() -> None:
    user = user_for(Path("/usr/lib"))
    assert user is not None
    assert user.uid not in (0, None)


def test_others_run_servers_as_themselves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert user_for(tmp_path) is None
