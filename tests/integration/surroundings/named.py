"""Says what a failure in a long story was about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def named(what: str) -> Iterator[None]:
    """Add to whatever is raised within in the middle of what it came."""
    try:
        yield
    except BaseException as error:
        error.add_note(what)
        raise
