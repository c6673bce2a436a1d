"""Keystone and Swift for tests are the real ones, and every test has a part of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers.openstack import interpreter
from tests.servers.openstack.cloud import CloudProject, Refused
from tests.servers.openstack.server import OpenStackServer


def test_the_services_user_owns_its_projects_containers_and_nobody_elses(
    openstack: OpenStackServer, project: CloudProject
) -> None:
    cloud = openstack.cloud
    token = cloud.token_of(project.service, project)
    assert cloud.swift("PUT", f"{project.account_url}/box", token).status_code == 201
    assert cloud.swift("PUT", f"{project.account_url}/box/a", token, b"abc").status_code == 201
    assert cloud.swift("GET", f"{project.account_url}/box/a", token).content == b"abc"

    other = cloud.project("other")
    stranger = cloud.token_of(other.service, other)
    assert cloud.swift("GET", f"{project.account_url}/box/a", stranger).status_code == 403


def test_a_member_reaches_what_an_access_list_opens(
    openstack: OpenStackServer, project: CloudProject
) -> None:
    cloud = openstack.cloud
    anna = cloud.user("anna", project)
    token, hers = cloud.token_of(project.service, project), cloud.token_of(anna, project)
    box = f"{project.account_url}/box"
    cloud.swift("PUT", box, token)
    assert cloud.swift("GET", box, hers).status_code == 403
    cloud.swift("POST", box, token, headers={"X-Container-Read": f"{project.id}:{anna.id}"})
    assert cloud.swift("GET", box, hers).status_code == 204


def test_a_container_quota_is_kept(openstack: OpenStackServer, project: CloudProject) -> None:
    cloud = openstack.cloud
    token = cloud.token_of(project.service, project)
    box = f"{project.account_url}/box"
    cloud.swift("PUT", box, token, headers={"X-Container-Meta-Quota-Bytes": "3"})
    assert cloud.swift("PUT", f"{box}/a", token, b"four").status_code == 413


def test_revoked_tokens_and_disabled_users_are_refused(
    openstack: OpenStackServer, project: CloudProject
) -> None:
    cloud = openstack.cloud
    token = cloud.token_of(project.service, project)
    cloud.revoke(token)
    assert cloud.swift("GET", project.account_url, token).status_code == 401
    cloud.disable(project.service)
    with pytest.raises(Refused, match="401"):
        cloud.token_of(project.service, project)


def test_swift_comes_back_with_its_data_and_keystone_with_its_tokens(
    own_openstack: OpenStackServer,
) -> None:
    cloud = own_openstack.cloud
    project = cloud.project()
    token = cloud.token_of(project.service, project)
    assert cloud.swift("PUT", f"{project.account_url}/box", token).status_code == 201
    own_openstack.kill_swift()
    own_openstack.kill_keystone()
    assert not own_openstack.swift.running
    assert not own_openstack.keystone.running
    own_openstack.start()
    assert cloud.swift("HEAD", f"{project.account_url}/box", token).status_code == 204


def test_swift_may_remember_tokens(start_openstack: Callable[..., OpenStackServer]) -> None:
    server = start_openstack(token_cache_time=300, has_container_quotas=False)
    project = server.cloud.project()
    token = server.cloud.token_of(project.service, project)
    assert server.cloud.swift("GET", project.account_url, token).ok
    server.cloud.revoke(token)
    assert server.cloud.swift("GET", project.account_url, token).ok
    info = server.cloud.swift("GET", f"{server.swift_url}/info", token).json()
    assert "container_quotas" not in info


def test_a_missing_interpreter_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(interpreter.VARIABLE, "/nowhere/python")
    with pytest.raises(AssertionError, match=r"no /nowhere/python. Run `make test`"):
        interpreter.find_interpreter()
