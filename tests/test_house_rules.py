"""Files stay readable: each says what it is for, and none grows past a sitting."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST = 300
FILES = sorted(
    path
    for part in ("stacksync", "twisted", "bench", "examples", "tests")
    for path in (ROOT / part).rglob("*.py")
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_says_what_it_is_for(path: Path) -> None:
    source = path.read_text()
    # A package whose directory says it all may have an empty __init__.py.
    assert not source.strip() or ast.get_docstring(ast.parse(source))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    lines = len(path.read_text().splitlines())

    assert lines <= LONGEST, f"{lines} lines: find the second idea in it and give it a file"
