"""The pages are valid, and what they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docutils.core import publish_doctree

from stacksync.config import Config
from stacksync.config.declaration import options, sections

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / name for name in ("README.rst", "HACKING.rst", "NEWS.rst")),
    *sorted((ROOT / "docs").glob("*.rst")),
]
OPTIONS = {
    f"{section}.{option}" for section, of in sections(Config).items() for option in options(of)
}
INFORMATION = 1
NOT_SHIPPED = {".git", ".venv", "build", "dist", "results"}

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def literals(page: Path) -> list[str]:
    return re.findall(r"``([^`\n]+)``", page.read_text())


@every_page
def test_a_page_is_valid(page: Path) -> None:
    settings = {"halt_level": INFORMATION, "report_level": 5, "syntax_highlight": "none"}
    publish_doctree(page.read_text(), str(page), settings_overrides=settings)


@every_page
def test_a_file_that_a_page_names_is_there(page: Path) -> None:
    tops = {path.name for path in ROOT.iterdir()}
    named = [each for each in literals(page) if re.fullmatch(r"[\w./-]+", each)]
    missing = [
        each
        for each in named
        if each.split("/")[0] in tops and not each.endswith("NNNN_name.sql")
        if not (ROOT / each).exists()
    ]

    assert missing == []


@every_page
def test_an_option_that_a_page_names_exists(page: Path) -> None:
    names = "|".join(sections(Config))
    named = set(re.findall(rf"``((?:{names})\.[a-z_]+)``", page.read_text()))

    assert {each for each in named if not each.endswith((".py", ".rst"))} <= OPTIONS


def test_the_map_in_the_readme_has_every_directory() -> None:
    text = (ROOT / "README.rst").read_text()
    parents = [ROOT, ROOT / "stacksync", ROOT / "stacksync/db", ROOT / "stacksync/protocols"]
    directories = {
        path.relative_to(ROOT).as_posix()
        for parent in parents
        for path in parent.iterdir()
        if path.is_dir() and has_files(path)
    }

    assert {each for each in directories if f"``{each}/" not in text} == set()


def has_files(directory: Path) -> bool:
    """Whether a directory belongs to the tree, rather than to some tool."""
    name = directory.name
    hidden = name.startswith(".") and name != ".ci"
    generated = name == "__pycache__" or name.endswith(".egg-info") or name in NOT_SHIPPED
    return not hidden and not generated and any(directory.iterdir())


def test_the_checks_would_find_something() -> None:
    assert "amqp.prefetch" in OPTIONS
    assert has_files(ROOT / "stacksync")
    assert not has_files(ROOT / "stacksync" / "__pycache__")
    assert "stacksync/engine/notifier.py" in literals(ROOT / "docs" / "architecture.rst")
