"""``stacksync-admin check`` says in words what the service needs and has not got."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.admin_cli.cloud_operator import CloudOperator
from tests.servers.openstack.cloud import CloudProject
from tests.servers.openstack.server import OpenStackServer

MakeOperator = Callable[..., CloudOperator]


@pytest.fixture
def make_operator(
    new_directory: Callable[[str], Path], database_dsn: str, openstack: OpenStackServer
) -> MakeOperator:
    def make(project: CloudProject, **keystone: str) -> CloudOperator:
        return CloudOperator(
            new_directory("operator"), database_dsn, openstack.cloud, project, keystone
        )

    return make


def missing(operator: CloudOperator) -> str:
    answer = operator.types("check")
    assert answer.returncode == 1, answer.stdout + answer.stderr
    return "\n".join(line for line in answer.stdout.splitlines() if line.startswith("missing"))


def test_where_all_is_there_nothing_is_missing(
    make_operator: MakeOperator, project: CloudProject
) -> None:
    answer = make_operator(project).types("check")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.splitlines()[-1] == "Nothing is missing."
    assert "database: works" in answer.stdout
    assert "storage: works" in answer.stdout


def test_a_wrong_password_is_told_with_the_user_and_without_the_password(
    make_operator: MakeOperator, project: CloudProject
) -> None:
    told = missing(make_operator(project, password="not-this-one"))
    assert project.service.name in told
    assert "not-this-one" not in told


def test_a_service_that_may_not_make_users_is_told_which_role_it_lacks(
    make_operator: MakeOperator, openstack: OpenStackServer
) -> None:
    told = missing(make_operator(openstack.cloud.project(roles=("swiftoperator",))))
    assert "openstack role add" in told
    assert "admin" in told


def test_a_service_that_may_not_make_containers_is_told_which_role_it_lacks(
    make_operator: MakeOperator, openstack: OpenStackServer
) -> None:
    told = missing(make_operator(openstack.cloud.project(roles=("member",))))
    assert "swiftoperator" in told


def test_a_role_for_users_that_is_not_there_is_told_with_what_makes_it(
    make_operator: MakeOperator, project: CloudProject
) -> None:
    told = missing(make_operator(project, user_role="no-such-role"))
    assert "openstack role create no-such-role" in told


def test_a_region_without_an_object_store_is_told_with_those_that_have_one(
    make_operator: MakeOperator, project: CloudProject
) -> None:
    told = missing(make_operator(project, region="Atlantis"))
    assert "Atlantis" in told
    assert "RegionOne" in told


def test_the_json_has_problems_and_notes(
    make_operator: MakeOperator, project: CloudProject
) -> None:
    document = make_operator(project).gets("check")
    assert document["problems"] == []
    assert "database: works" in document["notes"]
