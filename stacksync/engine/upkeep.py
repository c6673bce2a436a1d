"""What the operator's long-running commands share: how they tell where they are.

They are no requests of anybody's: no principal, and nothing of the reactor's
but its clock.
"""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str], None]
"""Told what is being done now, often; shown to whoever watches, or to nobody."""


def nobody_watches(_: str) -> None:
    """The :data:`Progress` of a run that shows none."""
