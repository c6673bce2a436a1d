"""We sign in as our settings say, once for everybody, and again when a token ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from stacksync.errors import Unavailable
from stacksync.storage.keystone import Identities, Keystone, KeystoneRefuses
from tests.servers.openstack.cloud import CloudProject
from tests.servers.openstack.server import OpenStackServer
from tests.storage.keystone.conftest import Wire

Connect = Callable[..., Keystone]


def begin(keystone: Keystone) -> Deferred[str]:
    return Deferred.fromCoroutine(keystone.token())


@pytest_twisted.ensureDeferred
async def test_a_password_gives_a_token_for_the_project(
    openstack: OpenStackServer, project: CloudProject, keystone: Keystone
) -> None:
    token = await keystone.token()
    assert await keystone.project_id() == project.id
    assert openstack.cloud.swift("GET", project.account_url, token).status_code == 204


@pytest_twisted.ensureDeferred
async def test_an_application_credential_gives_one_too(
    openstack: OpenStackServer, project: CloudProject, connect: Connect
) -> None:
    credential = openstack.cloud.application_credential(project)
    keystone = connect(
        project,
        username="",
        password="",
        application_credential_id=credential.id,
        application_credential_secret=credential.secret,
    )
    token = await keystone.token()
    assert await keystone.project_id() == project.id
    assert openstack.cloud.swift("GET", project.account_url, token).status_code == 204


@pytest_twisted.ensureDeferred
async def test_the_project_of_an_application_credential_is_the_one_that_it_was_made_in(
    openstack: OpenStackServer, project: CloudProject, connect: Connect
) -> None:
    credential = openstack.cloud.application_credential(project)
    keystone = connect(
        project,
        project="named otherwise",
        username="",
        password="",
        application_credential_id=credential.id,
        application_credential_secret=credential.secret,
    )
    assert (await keystone.present()).project_name == project.name
    # A restricted one is enough to make users.
    name = f"anna@{project.name}.example.org"
    made = await Identities(keystone).create(name, "correct horse", email=name)
    assert made.is_ours


@pytest_twisted.ensureDeferred
async def test_a_wrong_application_credential_is_refused_by_its_id(
    openstack: OpenStackServer, project: CloudProject, connect: Connect
) -> None:
    credential = openstack.cloud.application_credential(project)
    keystone = connect(
        project,
        application_credential_id=credential.id,
        application_credential_secret="wrong-secret",
    )
    with pytest.raises(KeystoneRefuses, match=f"application credential {credential.id}") as refusal:
        await keystone.token()
    assert "wrong-secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "change", [{"password": "wrong-secret"}, {"project": "nowhere"}, {"username": "nobody"}]
)
@pytest_twisted.ensureDeferred
async def test_wrong_credentials_are_told_with_all_names_and_without_the_password(
    project: CloudProject, connect: Connect, change: dict[str, str]
) -> None:
    keystone = connect(project, **change)
    names = {**project.options, **change}
    with pytest.raises(KeystoneRefuses) as refusal:
        await keystone.token()
    message = str(refusal.value)
    for expected in (names["username"], names["project"], "domain Default", project.keystone_url):
        assert expected in message
    assert names["password"] not in message


@pytest_twisted.ensureDeferred
async def test_refused_credentials_are_not_tried_again_at_once(
    project: CloudProject, connect: Connect, wire: Wire
) -> None:
    # A Keystone with security_compliance locks a user after some failures.
    keystone = connect(project, url=wire.url, password="wrong-secret")
    for _ in range(5):
        with pytest.raises(KeystoneRefuses):
            await keystone.token()
    assert wire.sign_ins == 1


@pytest_twisted.ensureDeferred
async def test_many_who_need_a_token_sign_in_once(
    project: CloudProject, connect: Connect, wire: Wire
) -> None:
    keystone = connect(project, url=wire.url)
    tokens = await gatherResults([begin(keystone) for _ in range(50)])
    assert len(set(tokens)) == 1
    assert await keystone.token() == tokens[0]
    assert wire.sign_ins == 1


@pytest_twisted.ensureDeferred
async def test_who_gives_up_waiting_gives_up_for_nobody_else(
    project: CloudProject, connect: Connect, wire: Wire
) -> None:
    keystone = connect(project, url=wire.url)
    wire.proxy.hold_answers()
    first, second, third = (begin(keystone) for _ in range(3))
    first.cancel()
    third.cancel()
    wire.proxy.release()
    assert await second
    for cancelled in (first, third):
        with pytest.raises(CancelledError):
            await cancelled
    assert wire.sign_ins == 1


@pytest_twisted.ensureDeferred
async def test_a_token_revoked_in_mid_use_is_renewed_once_for_all(
    openstack: OpenStackServer, project: CloudProject, connect: Connect, wire: Wire
) -> None:
    keystone = connect(project, url=wire.url)
    openstack.cloud.revoke(await keystone.token())
    answers = await gatherResults(
        [Deferred.fromCoroutine(keystone.request("GET", "/roles")) for _ in range(20)]
    )
    assert [answer.status for answer in answers] == [200] * 20
    assert wire.sign_ins == 2


@pytest_twisted.ensureDeferred
async def test_no_request_fails_when_our_password_is_set_anew_to_the_same(
    openstack: OpenStackServer, project: CloudProject, keystone: Keystone
) -> None:
    # What is made within the same second is revoked from the beginning.
    for _ in range(3):
        await keystone.token()
        password = {"user": {"password": project.service.password}}
        openstack.cloud.admin("PATCH", f"/users/{project.service.id}", password)
        assert (await keystone.request("GET", "/roles")).status == 200


@pytest_twisted.ensureDeferred
async def test_rights_that_are_lost_are_not_asked_for_for_ever(
    openstack: OpenStackServer, project: CloudProject, connect: Connect, wire: Wire
) -> None:
    keystone = connect(project, url=wire.url)
    await keystone.token()
    openstack.cloud.disable(project.service)
    with pytest.raises(KeystoneRefuses, match=f"refuses the user {project.service.name}"):
        await keystone.request("GET", "/roles")
    assert wire.sign_ins == 2


@pytest_twisted.ensureDeferred
async def test_only_the_present_token_can_be_rejected(
    project: CloudProject, connect: Connect, wire: Wire
) -> None:
    keystone = connect(project, url=wire.url)
    old = await keystone.token()
    keystone.reject(old)
    new = await keystone.token()
    keystone.reject(old)
    assert await keystone.token() == new
    assert wire.sign_ins == 2


@pytest_twisted.ensureDeferred
async def test_a_token_is_renewed_before_it_expires(
    start_openstack: Callable[..., OpenStackServer],
    connect: Connect,
    make_wire: Callable[[str], Wire],
) -> None:
    server = start_openstack(token_expiration=5)
    project = server.cloud.project()
    wire = make_wire(project.keystone_url)
    keystone = connect(project, url=wire.url)
    seen: set[str] = set()
    end = reactor.seconds() + 60
    while len(seen) < 3:
        assert reactor.seconds() < end
        seen.add(token := await keystone.token())
        assert server.cloud.is_valid(token)
        await deferLater(reactor, 0.05)
    assert wire.sign_ins == 3


@pytest_twisted.ensureDeferred
async def test_the_object_store_is_found_by_interface_and_region(
    openstack: OpenStackServer, project: CloudProject, connect: Connect
) -> None:
    openstack.cloud.endpoint(
        "internal", "Elsewhere", "http://elsewhere.test/v1/AUTH_%(tenant_id)s/"
    )
    keystone = connect(project)
    assert await keystone.object_store() == project.account_url
    assert await keystone.object_store("admin") == project.account_url
    there = connect(project, interface="internal", region="Elsewhere")
    assert await there.object_store() == f"http://elsewhere.test/v1/AUTH_{project.id}"
    with pytest.raises(
        KeystoneRefuses, match=r"no public endpoint .*in region Elsewhere.*RegionOne"
    ):
        await there.object_store("public")


@pytest_twisted.ensureDeferred
async def test_a_stopped_one_hands_out_nothing(
    project: CloudProject, connect: Connect, wire: Wire
) -> None:
    keystone = connect(project, url=wire.url)
    wire.proxy.hold_answers()
    waiting = begin(keystone)
    await keystone.stop()
    with pytest.raises(Unavailable, match="stopped"):
        await waiting
    with pytest.raises(Unavailable, match="stopped"):
        await keystone.token()
