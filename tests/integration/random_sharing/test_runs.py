"""People share, edit, rename and unshare at the same time; in the end all of them agree.

``SHARING_SEEDS=17`` or ``SHARING_SEEDS=0-999`` runs these seeds instead of the usual ones.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.integration.random_sharing.run import JOBS_TAKE, SharingRun
from tests.integration.random_sharing.seeds import name_of, portions, seeds
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.ledger import Ledger, until
from tests.integration.surroundings.people import People
from tests.servers.run import TestRun
from tests.servers.stacksync import StackSyncProcess

SEEDS = seeds("SHARING_SEEDS", range(100))
ARE_CHOSEN = "SHARING_SEEDS" in os.environ
AT_A_TIME = 10
FOLLOWED = 4
"""Of the usual runs one out of so many is followed by other devices; of those asked for all."""


@pytest.fixture(scope="module")
def objects(test_run: TestRun) -> Path:
    """The directory of the store that the servers share."""
    return test_run.new_directory("objects")


@pytest.fixture(scope="module")
def servers(
    module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str, objects: Path
) -> list[StackSyncProcess]:
    """Two that are one service."""
    return [
        module_fleet.start(
            module_database_dsn,
            module_amqp_url,
            storage={"directory": str(objects)},
            sharing={"keep_container": "2s"},
        )
        for _ in range(2)
    ]


@pytest.fixture(scope="module")
def server(servers: list[StackSyncProcess]) -> StackSyncProcess:
    return servers[0]


@pytest.mark.parametrize("portion", portions(SEEDS, AT_A_TIME), ids=name_of)
def test_all_agree_in_the_end(
    portion: Sequence[int], servers: list[StackSyncProcess], people: People
) -> None:
    for seed in portion:
        users = [people.add() for _ in range(3)]
        is_followed = ARE_CHOSEN or seed // 2 % FOLLOWED == 0
        # Every other run has both servers, the others one that does it all.
        SharingRun(seed, users, servers[: 1 + seed % 2], is_followed).run()

    # Those included that wait for a while.
    ledger = Ledger(servers[0].database_url)
    unfinished = "SELECT kind, queue, problem FROM job WHERE finished_at IS NULL"
    until(lambda: not ledger.rows(unfinished), "all jobs done", JOBS_TAKE)
    found = servers[0].admin("fsck")
    assert found["problems"] == []
