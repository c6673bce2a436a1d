"""The random runs of :mod:`.test_sharing_random` on Keystone and Swift: ACL = membership.

``SHARING_SWIFT_SEEDS=17`` or ``SHARING_SWIFT_SEEDS=0-99`` runs these seeds instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.integration.random_sharing.agreement import Agreement
from tests.integration.random_sharing.run import JOBS_TAKE, SharingRun
from tests.integration.random_sharing.seeds import name_of, portions, seeds
from tests.integration.surroundings.cloud_people import CloudPeople
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import Ledger
from tests.servers.openstack.cloud import CloudProject
from tests.servers.openstack.server import OpenStackServer
from tests.servers.stacksync import StackSyncProcess

SEEDS = seeds("SHARING_SWIFT_SEEDS", range(100, 108))
AT_A_TIME = 4


@pytest.fixture(scope="session")
def openstack(remembering_openstack: OpenStackServer) -> OpenStackServer:
    return remembering_openstack


@pytest.fixture(scope="module")
def module_project(openstack: OpenStackServer) -> CloudProject:
    """The project of the module's servers."""
    return openstack.cloud.project()


@pytest.fixture(scope="module")
def servers(
    module_fleet: Fleet,
    module_database_dsn: str,
    module_amqp_url: str,
    module_project: CloudProject,
) -> list[StackSyncProcess]:
    """Two that are one service, on Swift."""
    return [
        module_fleet.start(
            module_database_dsn,
            module_amqp_url,
            storage={"url": "swift"},
            keystone=module_project.options,
            sharing={"keep_container": "2s"},
        )
        for _ in range(2)
    ]


@pytest.fixture(scope="module")
def server(servers: list[StackSyncProcess]) -> StackSyncProcess:
    return servers[0]


@pytest.fixture(scope="module")
def cloud_people(
    server: StackSyncProcess, openstack: OpenStackServer, module_project: CloudProject
) -> CloudPeople:
    return CloudPeople(server, openstack.cloud, module_project)


@pytest.fixture
def agreement(
    server: StackSyncProcess, openstack: OpenStackServer, module_project: CloudProject
) -> Agreement:
    return Agreement(Ledger(server.database_url), openstack.cloud, module_project)


@pytest.mark.parametrize("portion", portions(SEEDS, AT_A_TIME), ids=name_of)
def test_all_agree_in_the_end_and_so_do_the_access_lists(
    portion: Sequence[int],
    servers: list[StackSyncProcess],
    cloud_people: CloudPeople,
    agreement: Agreement,
) -> None:
    for seed in portion:
        users = [cloud_people.add() for _ in range(3)]
        SharingRun(seed, users, servers[: 1 + seed % 2]).run()
        agreement.check()

    # Those included that wait for a while.
    agreement.until_jobs_are_done(JOBS_TAKE)
    agreement.check()
    found = servers[0].admin("fsck")
    assert found["problems"] == []
