"""Checks that what an account is said to use is what its live items take."""

from __future__ import annotations

from attrs import define

from stacksync.db.checks import CheckTable
from stacksync.db.repairs import RepairTable
from stacksync.engine.check.findings import Finding, Findings
from stacksync.engine.upkeep import Progress


@define
class QuotaCheck:
    """Looks through all accounts.

    :param repairs: ``None``: only look.
    """

    _table: CheckTable
    _findings: Findings
    _repairs: RepairTable | None
    _progress: Progress

    async def check(self) -> None:
        """Look, and count anew what is wrong."""
        async for use in self._table.quotas():
            self._progress(f"{use.email}: looking at the quota")
            if use.used == use.sum:
                continue
            finding = Finding(
                "quota",
                f"{use.used} bytes are counted as used, but the files take {use.sum}",
                use.email,
            )
            if self._repairs is None:
                self._findings.add(finding)
            else:
                await self._repairs.recount(use.account_id)
                self._findings.repaired(finding, "counted anew")
