"""Files stay readable: each says what it is for, and none grows past a sitting.

One test for all files: a test for each would cost more than what it looks at.
"""

from __future__ import annotations

import tokenize
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST = 300
FILES = sorted(
    path
    for part in ("stacksync", "twisted", "bench", "examples", "tests")
    for path in (ROOT / part).rglob("*.py")
)
BEFORE_CODE = {tokenize.ENCODING, tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def says_what_it_is_for(source: str) -> bool:
    """Whether a module begins with a docstring, as far as one looks without parsing the rest."""
    # A package whose directory says it all may have an empty __init__.py.
    if not source.strip():
        return True
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type not in BEFORE_CODE:
            return token.type == tokenize.STRING and token.string.lstrip("r")[:1] in "\"'"
    return False


def test_every_file_says_what_it_is_for() -> None:
    silent = [name_of(path) for path in FILES if not says_what_it_is_for(path.read_text())]

    assert not silent


def test_every_file_is_read_in_one_sitting() -> None:
    lines = {name_of(path): len(path.read_text().splitlines()) for path in FILES}
    long = {name: number for name, number in lines.items() if number > LONGEST}

    assert not long, "find the second idea in it and give it a file"


def test_all_files_are_looked_at() -> None:
    assert {"tests/test_house_rules.py", "stacksync/service.py"} <= set(map(name_of, FILES))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('"""What for."""\nx = 1\n', True),
        ('# A comment.\n\nr"""What for."""', True),
        ("", True),
        ("x = 1", False),
        ("# What for.", False),
        ('from a import b\n\n"""Too late."""', False),
        ('b"bytes are none"', False),
    ],
)
def test_what_begins_with_a_docstring_says_what_it_is_for(source: str, says: bool) -> None:
    assert says_what_it_is_for(source) is says
