"""What is missing is told with the command that puts it right, and that command does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor

from stacksync.storage.keystone import Diagnosis, Keystone, diagnose
from tests.servers.openstack.cloud import CloudProject
from tests.servers.openstack.server import OpenStackServer

Connect = Callable[..., Keystone]
Diagnose = Callable[..., Any]


@pytest.fixture
def look(connect: Connect) -> Diagnose:
    """What is found for a project's service user, with these changes to the settings."""

    async def look(of: CloudProject, /, **changes: Any) -> Diagnosis:
        return await diagnose(reactor, connect(of, **changes))

    return look


def only_problem(found: Diagnosis) -> str:
    assert len(found.problems) == 1, found.problems
    return found.problems[0]


@pytest_twisted.ensureDeferred
async def test_nothing_is_missing_where_all_is_there(
    openstack: OpenStackServer, project: CloudProject, look: Diagnose
) -> None:
    before = openstack.cloud.admin("GET", "/users")["users"]
    found = await look(project)
    assert found.problems == []
    notes = "\n".join(found.notes)
    for expected in (
        f"{project.keystone_url} answers (v3.",
        f"knows the user {project.service.name} of domain Default, for project {project.name}",
        f"{project.service.name} may look for and make users",
        "users get the role member",
        f"the public object store is {project.account_url}",
        f"{project.service.name} operates the account at {project.account_url}",
    ):
        assert expected in notes
    assert project.service.password not in notes
    ids = {user["id"] for user in before}
    assert project.service.id in ids
    made = [u for u in openstack.cloud.admin("GET", "/users")["users"] if u["id"] not in ids]
    assert [user["name"] for user in made if user["name"] == project.service.name] == []


@pytest_twisted.ensureDeferred
async def test_an_application_credential_will_do(
    openstack: OpenStackServer, project: CloudProject, look: Diagnose
) -> None:
    credential = openstack.cloud.application_credential(project)
    named = {"application_credential_id": credential.id}
    good = await look(project, **named, application_credential_secret=credential.secret)
    assert good.problems == []
    bad = only_problem(await look(project, **named, application_credential_secret="wrong-secret"))
    assert f"application credential {credential.id}" in bad
    assert "openstack application credential create" in bad
    assert "wrong-secret" not in bad


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("", r"no Keystone v3.*ends in /v3"),
        ("/v3/users", r"no Keystone v3.*401"),
        ("/nothing", r"no Keystone v3.*404"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_url_that_is_not_keystones_is_told(
    project: CloudProject, look: Diagnose, path: str, told: str
) -> None:
    url = project.keystone_url.removesuffix("/v3") + path
    assert re.search(told, only_problem(await look(project, url=url)))


@pytest_twisted.ensureDeferred
async def test_a_keystone_that_is_away_is_told(project: CloudProject, look: Diagnose) -> None:
    problem = only_problem(await look(project, url="http://127.0.0.1:1/v3"))
    assert "http://127.0.0.1:1/v3: nothing listens there" in problem
    assert "[keystone] url" in problem


@pytest_twisted.ensureDeferred
async def test_a_wrong_password_is_told_from_a_wrong_project(
    openstack: OpenStackServer, project: CloudProject, look: Diagnose
) -> None:
    name = project.service.name
    password = only_problem(await look(project, password="wrong-secret"))
    assert f"no user {name} in domain Default with the password" in password
    assert f"openstack user set --password-prompt {name}" in password
    assert "wrong-secret" not in password
    missing = only_problem(await look(project, project="nowhere"))
    assert f"the password of {name} is right" in missing
    assert "openstack project create --domain Default nowhere;" in missing
    assert f"openstack role add --user {name} " in missing


@pytest_twisted.ensureDeferred
async def test_a_service_user_without_rights_is_told_which_roles_to_add(
    openstack: OpenStackServer, look: Diagnose
) -> None:
    cloud = openstack.cloud
    project = cloud.project(roles=("member",))
    found = "\n".join((await look(project)).problems)
    assert "may not look for users nor make users in domain Default" in found
    assert "roles in the project: member, reader" in found
    assert "may not operate the account" in found
    added = re.findall(r"openstack role add --user (\S+) .*--project (\S+) .* (\w+)$", found, re.M)
    named = (project.service.name, project.name)
    assert {(*named, "admin"), (*named, "swiftoperator")} <= set(added)
    for _, _, role in added:
        cloud.grant(project.service, project.id, role)
    assert (await look(project)).problems == []


@pytest_twisted.ensureDeferred
async def test_a_role_for_users_is_there_and_opens_nothing_else(
    project: CloudProject, look: Diagnose
) -> None:
    missing = only_problem(await look(project, user_role="sharers"))
    assert (
        "there is no role sharers ([keystone] user_role): openstack role create sharers" in missing
    )
    for role in ("admin", "swiftoperator"):
        dangerous = only_problem(await look(project, user_role=role))
        assert f"users get the role {role}" in dangerous
        assert "opens every container" in dangerous


@pytest_twisted.ensureDeferred
async def test_an_object_store_that_the_catalogue_lacks_is_told(
    project: CloudProject, look: Diagnose
) -> None:
    found = await look(project, region="Nowhere", interface="internal")
    assert len(found.problems) == 2
    for problem, interface in zip(found.problems, ("internal", "public"), strict=True):
        assert f"no {interface} endpoint of an object-store in region Nowhere" in problem
        assert "public in RegionOne" in problem
        assert f"openstack endpoint create --region Nowhere object-store {interface}" in problem


@pytest_twisted.ensureDeferred
async def test_a_swift_that_is_away_is_told(own_openstack: OpenStackServer, look: Diagnose) -> None:
    project = own_openstack.cloud.project()
    own_openstack.kill_swift()
    problem = only_problem(await look(project))
    assert problem.startswith(f"storage: HEAD {project.account_url}: nothing listens there")
