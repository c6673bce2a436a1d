"""Passwords and tokens are in no log line, no error and no repr, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import pytest_twisted

from stacksync.errors import StackSyncError
from stacksync.storage.keystone import Identities, Keystone
from tests.db.observation import CapturedLog
from tests.servers.openstack.cloud import CloudProject
from tests.servers.openstack.server import OpenStackServer
from tests.storage.keystone.conftest import Wire

Connect = Callable[..., Keystone]


@pytest_twisted.ensureDeferred
async def test_nothing_secret_is_shown(
    openstack: OpenStackServer,
    project: CloudProject,
    connect: Connect,
    wire: Wire,
    logged: CapturedLog,
) -> None:
    keystone = connect(project, url=wire.url)
    identities = Identities(keystone)
    anna = openstack.cloud.user("anna", project)
    first, hers = await keystone.token(), openstack.cloud.token_of(anna, project)
    shown = [repr(each) for each in (keystone, keystone.config, keystone.credentials, identities)]
    shown += [str(keystone.credentials), repr(await keystone.present())]
    assert await identities.check_password(anna.id, anna.password)
    assert await identities.of_token(hers) is not None
    answer = await keystone.request("GET", "/auth/tokens", subject=hers)
    shown += [repr(answer), answer.told]
    keystone.reject(first)
    second = await keystone.token()
    wire.proxy.refuse()
    keystone.reject(second)
    for attempt in (
        keystone.token(),
        identities.check_password(anna.id, anna.password),
        identities.of_token(hers),
        identities.create("bert", "bert's secret", email="bert"),
    ):
        with pytest.raises(StackSyncError) as failure:
            await attempt
        shown += [str(failure.value), repr(failure.value), repr(failure.value.__cause__)]
    wrong = connect(project, password="a wrong secret")
    with pytest.raises(StackSyncError) as failure:
        await wrong.token()
    shown += [str(failure.value), *(repr(event) for event in logged.events)]
    assert any("no new token" in each for each in shown)
    secrets = (project.service.password, anna.password, first, second, hers)
    for secret in (*secrets, "bert's secret", "a wrong secret"):
        assert [each for each in shown if secret in each] == []
