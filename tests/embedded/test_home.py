"""The state directory is made with care and found again under one name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stacksync.embedded.home import prepare
from stacksync.errors import ConfigurationError


def test_it_is_closed_to_others(tmp_path: Path) -> None:
    home = prepare(tmp_path / "deep" / "down" / "stacksync")
    # Root's lets others pass, but not look.
    assert home.stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)


def test_one_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    home = tmp_path / "stacksync"
    home.mkdir()
    home.chmod(0o750)
    assert prepare(home).stat().st_mode & 0o777 == 0o750


def test_a_link_and_its_target_are_one(tmp_path: Path) -> None:
    home = prepare(tmp_path / "stacksync")
    (tmp_path / "link").symlink_to(home)
    assert prepare(tmp_path / "link") == home


def test_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "stacksync").write_text("")
    with pytest.raises(ConfigurationError, match=r"state directory .*/stacksync can't be created"):
        prepare(tmp_path / "stacksync")


def test_one_that_belongs_to_somebody_else_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 54_321)
    with pytest.raises(ConfigurationError, match=r"belongs to the user \w+: run this as that user"):
        prepare(tmp_path)
