"""What a check found, in words for the operator.

Beyond a number of findings no more are kept, only counted: a store that is
gone is one message, and not a million.
"""

from __future__ import annotations

from uuid import UUID

from attrs import define, evolve, field, frozen

KEPT = 10_000


@frozen
class Finding:
    """Something that cannot be right.

    :ivar kind: a word for programs: ``missing-parent``, ``bad-content``.
    :ivar message: where and what, as a sentence without its full stop.
    :ivar outcome: what was done about it, or why nothing could be; empty:
        nobody asked for a repair.
    :ivar chunks: names of bad chunks, a few of them.
    """

    kind: str
    message: str
    owner: str
    workspace_id: UUID | None = None
    item_id: int | None = None
    version: int | None = None
    chunks: tuple[str, ...] = ()
    repaired: bool = False
    outcome: str = ""


@define
class Findings:
    """All that was found.

    :ivar remaining: how many are not repaired.
    :ivar omitted: how many were not kept.
    """

    kept: list[Finding] = field(factory=list)
    remaining: int = 0
    omitted: int = 0

    def add(self, finding: Finding) -> None:
        self.remaining += not finding.repaired
        if len(self.kept) < KEPT:
            self.kept.append(finding)
        else:
            self.omitted += 1

    def repaired(self, finding: Finding, outcome: str) -> None:
        self.add(evolve(finding, repaired=True, outcome=outcome))

    def unrepaired(self, finding: Finding, reason: str) -> None:
        self.add(evolve(finding, outcome=reason))
