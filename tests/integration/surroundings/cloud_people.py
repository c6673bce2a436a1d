"""Users by the dozen, each with a user in Keystone and a container that is open to it."""

from __future__ import annotations

import json

from tests.integration.surroundings.ledger import Ledger
from tests.integration.surroundings.people import People
from tests.servers.openstack.cloud import Cloud, CloudProject
from tests.servers.stacksync import KnownUser, StackSyncProcess

ADOPT = "UPDATE account SET identity_id = %s WHERE id = %s"

PREPARE = """
    SELECT job_added(
            'container', 'container:' || container,
            %s::jsonb || jsonb_build_object('workspace_id', id, 'container', container), NULL, NULL)
        FROM workspace WHERE owner_id = %s
"""


class CloudPeople(People):
    """Like :class:`People`; the server itself makes the containers, by jobs.

    :param project: the service's, in which the users are.
    """

    def __init__(self, server: StackSyncProcess, cloud: Cloud, project: CloudProject) -> None:
        super().__init__(server)
        self._ledger = Ledger(server.database_url)
        self._cloud = cloud
        self._project = project

    def add(self, quota: int = 5 * 1024**3, email: str | None = None) -> KnownUser:
        """One more user, who is known to Keystone."""
        user = super().add(quota, email)
        identity = self._cloud.user("user", self._project)
        self._ledger.execute(ADOPT, identity.id, str(user.id))
        self._ledger.execute(PREPARE, json.dumps({}), str(user.id))
        return user
