"""The commented example, which is also ``etc/stacksync.ini``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stacksync.config import Config, dump, load, parse
from stacksync.config.declaration import options, sections

EXAMPLE = Path(__file__).parent.parent.parent / "etc" / "stacksync.ini"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STACKSYNC_HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    # Root's default is another one, which the example mentions in words.
    monkeypatch.setattr("os.geteuid", lambda: 1000)


def test_the_file_in_the_repository_is_the_example() -> None:
    assert EXAMPLE.read_text() == dump()


def test_the_example_as_it_stands_changes_nothing() -> None:
    assert load(EXAMPLE) == Config()


def test_the_example_shows_every_option_with_its_default() -> None:
    shown = re.sub(r"^#(\w+ = )", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)
    names = [(section, name) for section, cls in sections(Config).items() for name in options(cls)]

    assert parse(shown, "example") == Config()
    assert re.findall(r"^\[(\w+)\]$", shown, re.MULTILINE) == list(sections(Config))
    assert re.findall(r"^(\w+) = ", shown, re.MULTILINE) == [name for _, name in names]


def test_the_example_explains_every_option() -> None:
    explained = re.findall(r"^# .+\n#(\w+) = ", dump(), re.MULTILINE)

    assert len(explained) == sum(len(options(cls)) for cls in sections(Config).values())


def test_an_option_is_explained_in_at_most_three_lines() -> None:
    paragraphs = [
        block.split("\n") for block in dump().split("\n\n") if re.search("^#\\w", block, re.M)
    ]

    assert all(len(lines) <= 4 for lines in paragraphs)
