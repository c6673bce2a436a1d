"""``stacksync-admin user`` killed at any of its steps: the same again completes it.

The steps are not listed here but recorded (:mod:`tests.servers.killed_at`).
"""

from __future__ import annotations

import json
import secrets
import signal
from collections.abc import Iterator
from itertools import zip_longest

import pytest

from tests.integration.random_sharing.agreement import Agreement
from tests.integration.surroundings.ledger import Ledger, until
from tests.integration.surroundings.named import named
from tests.servers.doomed import DoomedProcess, Moment, moments
from tests.servers.openstack.cloud import Cloud, CloudProject, CloudUser
from tests.servers.openstack.server import OpenStackServer
from tests.servers.run import TestRun

PASSWORD = "seven pale horses"


@pytest.fixture(scope="session")
def openstack(remembering_openstack: OpenStackServer) -> OpenStackServer:
    return remembering_openstack


@pytest.fixture
def server(test_run: TestRun, database_dsn: str, project: CloudProject) -> Iterator[DoomedProcess]:
    """Not started: only its settings, and later somebody to finish what is left."""
    server = DoomedProcess(
        test_run.new_directory("doomed"),
        database_dsn,
        keystone=project.options,
        storage={"url": "swift"},
        auth={"passwords": "keystone"},
        jobs={"at_once": "1"},
    )
    yield server
    server.kill()


class Operator:
    """Adds and removes users by commands that may be killed."""

    def __init__(self, server: DoomedProcess, cloud: Cloud, project: CloudProject) -> None:
        self._server = server
        self._cloud = cloud
        self._project = project
        self._ledger = Ledger(server.database_url)
        self.agreement = Agreement(self._ledger, cloud, project)

    def add(self, email: str) -> int:
        return self._do("user", "add", email, "--password-stdin")

    def remove(self, email: str) -> int:
        return self._do("user", "remove", email)

    def check_is_there(self, email: str) -> None:
        """The account has all that it needs: its own user can put something into its container."""
        ((identity_id, container),) = self._ledger.rows(
            "SELECT a.identity_id, w.container FROM account a JOIN workspace w"
            " ON w.owner_id = a.id WHERE a.email = %s",
            email,
        )
        assert not self._unfinished()
        user = CloudUser(identity_id, email, PASSWORD)
        url = f"{self._project.account_url}/{container}/chunk"

        def can_put() -> bool:
            token = self._cloud.token_of(user, self._project)
            return self._cloud.swift("PUT", url, token, b"hers").status_code == 201

        # A token of the second in which the password was set is born revoked.
        until(can_put, "its own token opens its container")
        self.check_all()

    def check_all(self) -> None:
        """Keystone has a user for every account, and no other; the same of the containers."""
        known = {row[0] for row in self._ledger.rows("SELECT identity_id FROM account")}
        users = self._cloud.admin("GET", "/users")["users"]
        ours = [each["id"] for each in users if each.get("stacksync_project") == self._project.id]
        assert sorted(ours) == sorted(known)
        self.agreement.check()

    def has_account(self, email: str) -> bool:
        return bool(self._ledger.rows("SELECT FROM account WHERE email = %s", email))

    def let_time_pass(self) -> None:
        """As if so much time had passed that nobody counts on what has died."""
        self._ledger.execute("UPDATE job SET claimed_until = now() WHERE claimed_until > now()")

    def _unfinished(self) -> list[tuple[object, ...]]:
        return self._ledger.rows("SELECT kind, problem FROM job WHERE finished_at IS NULL")

    def _do(self, *command: str) -> int:
        status, told = self._server.command(*command, text=PASSWORD)
        if status == 1:
            # There is nothing to complete.
            assert json.loads(told)["error"]["kind"] == "EmailTaken", told
        return status


def test_the_same_again_completes_what_was_begun(
    server: DoomedProcess, openstack: OpenStackServer, project: CloudProject
) -> None:
    operator = Operator(server, openstack.cloud, project)
    for adding, removing in zip_longest(*recorded_moments(server, operator)):
        email = new_email()
        if adding is None:
            assert operator.add(email) == 0
        else:
            with named(f"killed while adding, {adding}"):
                server.orders.kill_at(adding)
                assert operator.add(email) == -signal.SIGKILL
                server.orders.withdraw()
                operator.let_time_pass()
                assert operator.add(email) in (0, 1)
                operator.check_is_there(email)
        if removing is None:
            assert operator.remove(email) == 0
        else:
            with named(f"killed while removing, {removing}"):
                server.orders.kill_at(removing)
                assert operator.remove(email) == -signal.SIGKILL
                server.orders.withdraw()
                operator.let_time_pass()
                if operator.has_account(email):
                    assert operator.remove(email) == 0
    # The accounts are gone; whatever else was left to do is the service's.
    server.start()
    operator.agreement.until_jobs_are_done()
    operator.check_all()
    assert operator.agreement.containers() == set()


def recorded_moments(
    server: DoomedProcess, operator: Operator
) -> tuple[list[Moment], list[Moment]]:
    """When adding and removing may be killed."""
    email = new_email()
    server.orders.record()
    assert operator.add(email) == 0
    adding = moments(server.orders.taken)
    operator.check_is_there(email)
    server.orders.record()
    assert operator.remove(email) == 0
    removing = moments(server.orders.taken)
    server.orders.withdraw()
    operator.check_all()
    return adding, removing


def new_email() -> str:
    """An address that no other test gives to its users."""
    return f"user-{secrets.token_hex(4)}@example.org"
