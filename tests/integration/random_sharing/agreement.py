"""Whether the store's containers are what the memberships say, both looked at past the server."""

from __future__ import annotations

from typing import Any

from tests.integration.surroundings.ledger import Ledger, until
from tests.servers.openstack.cloud import Cloud, CloudProject

MEMBERS = """
    SELECT w.container, o.quota_limit, a.identity_id, m.role
    FROM workspace w JOIN account o ON o.id = w.owner_id
    JOIN membership m ON m.workspace_id = w.id JOIN account a ON a.id = m.account_id
"""

UNFINISHED = "SELECT kind, attempts, problem FROM job WHERE finished_at IS NULL ORDER BY id"

PATIENCE = 60.0
"""Seconds that the jobs of a run, which may wait for one another, take at the most."""


class Agreement:
    """Compares a database with a project's containers, by the project's own token."""

    def __init__(self, ledger: Ledger, cloud: Cloud, project: CloudProject) -> None:
        self._ledger = ledger
        self._cloud = cloud
        self._project = project
        self._token = cloud.token_of(project.service, project)

    def until_jobs_are_done(self, within: float = PATIENCE) -> None:
        """Wait until the service has nothing left to do."""
        try:
            until(lambda: not self._unfinished(), "the jobs are done", within)
        except TimeoutError:
            raise AssertionError(f"not done: {self._unfinished()}") from None

    def check(self) -> None:
        """Every workspace has its container, open to its members alone; and there is no other."""
        wanted = self.wanted()
        try:
            until(lambda: self.containers() == set(wanted), "all containers", PATIENCE)
        except TimeoutError:
            there = self.containers()
            told = f"more: {there - set(wanted)}, less: {set(wanted) - there}, {self._unfinished()}"
            raise AssertionError(told) from None
        assert {name: self.access(name) for name in wanted} == wanted

    def _unfinished(self) -> list[Any]:
        return self._ledger.rows(UNFINISHED)

    def containers(self) -> set[str]:
        """The names of those that there are."""
        return {each["name"] for each in self._get("").json()}

    def access(self, container: str) -> dict[str, Any]:
        """The access lists as they are, and the quota."""
        headers = self._get(f"/{container}").headers
        return {
            "readers": elements(headers.get("X-Container-Read", "")),
            "writers": elements(headers.get("X-Container-Write", "")),
            "quota": headers.get("X-Container-Meta-Quota-Bytes"),
        }

    def wanted(self) -> dict[str, dict[str, Any]]:
        """By container, what the memberships say that its access lists have to be."""
        found: dict[str, dict[str, Any]] = {}
        for container, quota, identity_id, role in self._ledger.rows(MEMBERS):
            access = found.setdefault(
                container, {"readers": set(), "writers": set(), "quota": str(quota)}
            )
            access["readers"].add(f"{self._project.id}:{identity_id}")
            if role != "viewer":
                access["writers"].add(f"{self._project.id}:{identity_id}")
        return found

    def objects(self, container: str) -> set[str]:
        """The names of a container's objects."""
        return {each["name"] for each in self._get(f"/{container}").json()}

    def _get(self, path: str) -> Any:
        url = f"{self._project.account_url}{path}?format=json"
        answer = self._cloud.swift("GET", url, self._token)
        assert answer.ok, f"{url}: {answer.status_code}"
        return answer


def elements(header: str) -> set[str]:
    return {element for element in header.split(",") if element}
