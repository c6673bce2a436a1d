"""One line of the table of figures."""

from __future__ import annotations

from attrs import frozen


@frozen
class Figure:
    """One line of the table.

    :ivar ratio: of ``value`` to the figure that ``ratio_to`` names.
    :ivar met: whether the target is; ``None`` where there is none.
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None
    ratio_to: str = ""
    target: str = ""
    met: bool | None = None
