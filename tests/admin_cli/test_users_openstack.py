"""An operator makes and removes users where they live in Keystone and their data in Swift."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.admin_cli.cloud_operator import CloudOperator
from tests.servers.openstack.cloud import CloudProject, Refused
from tests.servers.openstack.server import OpenStackServer

PASSWORD = "seven pale horses"


@pytest.fixture
def operator(
    new_directory: Callable[[str], Path],
    database_dsn: str,
    openstack: OpenStackServer,
    project: CloudProject,
) -> CloudOperator:
    return CloudOperator(new_directory("operator"), database_dsn, openstack.cloud, project)


def test_a_user_is_made_in_keystone_with_a_container_that_is_its_own(
    operator: CloudOperator,
) -> None:
    anna = operator.adds("anna", "--name", "Anna", "--quota", "3M")
    made = operator.keystone_users(anna.name)
    assert [user["id"] for user in made] == [anna.id]
    grantee = f"{operator.project.id}:{anna.id}"
    told = operator.head(operator.container_of(anna)).headers
    assert told["X-Container-Read"] == told["X-Container-Write"] == grantee
    assert told["X-Container-Meta-Quota-Bytes"] == str(3 * 1024**2)


def test_its_own_token_opens_its_container_and_no_other(operator: CloudOperator) -> None:
    anna, ben = operator.adds("anna"), operator.adds("ben")
    cloud, url = operator.cloud, operator.container_of(anna) + "/chunk"
    token = cloud.token_of(anna, operator.project)
    assert cloud.swift("PUT", url, token, b"hers").status_code == 201
    assert cloud.swift("GET", url, token).content == b"hers"
    stranger = cloud.token_of(ben, operator.project)
    assert cloud.swift("GET", url, stranger).status_code == 403
    assert cloud.swift("PUT", url, stranger, b"his").status_code == 403


def test_somebody_who_is_in_keystone_already_is_taken_as_is(operator: CloudOperator) -> None:
    known = operator.cloud.user("known")
    email = operator.email("ben")
    made = operator.gets("user", "add", email, "--keystone-user", known.name)
    assert made["identity_id"] == known.id
    assert "password" not in made
    # The role that was missing lets the user in, with the password that it had.
    token = operator.cloud.token_of(known, operator.project)
    url = f"{operator.project.account_url}/{made['workspaces'][0]['id']}"
    assert operator.cloud.swift("GET", url, token).ok
    operator.gets("user", "remove", email)
    assert operator.cloud.token_of(known)


def test_nobody_else_s_user_is_taken_by_its_name(operator: CloudOperator) -> None:
    email = operator.email("carla")
    operator.cloud.admin(
        "POST", "/users", {"user": {"name": email, "password": "x", "domain_id": "default"}}
    )
    answer = operator.types("user", "add", email, "--password-stdin", text=PASSWORD)
    assert answer.returncode == 1
    assert f"Keystone has a user {email} that StackSync did not make" in answer.stderr
    assert "--keystone-user" in answer.stderr
    assert operator.gets("user", "list")["accounts"] == []


def test_a_user_whom_keystone_does_not_know_cannot_be_adopted(operator: CloudOperator) -> None:
    answer = operator.types("user", "add", "dora@example.org", "--keystone-user", "nobody-here")
    assert answer.returncode == 1
    assert "no such Keystone user: nobody-here" in answer.stderr


def test_what_was_cut_short_after_keystone_is_completed_by_the_same_again(
    operator: CloudOperator, new_directory: Callable[[str], Path], openstack: OpenStackServer
) -> None:
    email = operator.email("emma")
    # A database that is away is met after the user has been made: as cut short as can be.
    away = CloudOperator(
        new_directory("away"),
        "postgresql://nobody@127.0.0.1:1/none",
        openstack.cloud,
        operator.project,
        database={"wait_timeout": "1s"},
    )
    assert away.types("user", "add", email, "--password-stdin", text=PASSWORD).returncode == 1
    made = operator.gets("user", "add", email, "--password-stdin", text=PASSWORD)
    assert [user["id"] for user in operator.keystone_users(email)] == [made["identity_id"]]


def test_an_account_from_before_gets_its_user_and_its_container(
    operator: CloudOperator, new_directory: Callable[[str], Path], openstack: OpenStackServer
) -> None:
    before = operator.directory / "before.ini"
    lines = operator.settings.read_text().replace("url = swift", "url = disk")
    lines = lines.replace("passwords = keystone", "passwords = local")
    before.write_text(lines[: lines.index("[keystone]")] + lines[lines.index("[auth]") :])
    settings, operator.settings = operator.settings, before
    email = operator.email("finn")
    assert (
        operator.gets("user", "add", email, "--password-stdin", text=PASSWORD)["identity_id"]
        is None
    )
    operator.settings = settings
    completed = operator.gets("user", "add", email, "--password-stdin", text=PASSWORD)
    assert completed["completed"] is True
    url = f"{operator.project.account_url}/{completed['workspaces'][0]['id']}"
    assert completed["identity_id"] in operator.head(url).headers["X-Container-Read"]


def test_who_is_there_with_all_that_is_needed_is_not_made_again(operator: CloudOperator) -> None:
    gina = operator.adds("gina")
    answer = operator.types("user", "add", gina.name, "--password-stdin", text="another one")
    assert answer.returncode == 1
    assert f"an account with the e-mail {gina.name} exists already" in answer.stderr
    # Its password is not the new one either.
    assert operator.cloud.token_of(gina)


def test_while_swift_is_away_the_account_is_made_and_the_rest_is_told(
    new_directory: Callable[[str], Path], database_dsn: str, own_openstack: OpenStackServer
) -> None:
    cloud = own_openstack.cloud
    operator = CloudOperator(new_directory("operator"), database_dsn, cloud, cloud.project())
    own_openstack.kill_swift()
    email = operator.email("hanna")
    answer = operator.types("user", "add", email, "--password-stdin", text=PASSWORD)
    assert answer.returncode == 0, answer.stderr
    assert "Not done yet, and tried again by the service" in answer.stdout
    own_openstack.start_swift()
    completed = operator.gets("user", "add", email, "--password-stdin", text=PASSWORD)
    assert completed["completed"] is True
    assert "unfinished" not in completed
    url = f"{operator.project.account_url}/{completed['workspaces'][0]['id']}"
    assert completed["identity_id"] in operator.head(url).headers["X-Container-Write"]


def test_a_removed_user_leaves_nothing(operator: CloudOperator) -> None:
    ida = operator.adds("ida")
    url = operator.container_of(ida)
    token = operator.cloud.token_of(ida, operator.project)
    assert operator.cloud.swift("PUT", f"{url}/chunk", token, b"x").status_code == 201
    removed = operator.gets("user", "remove", ida.name)
    assert removed == {"removed": ida.name, "unfinished": []}
    assert operator.keystone_users(ida.name) == []
    assert operator.head(url).status_code == 404
    assert operator.gets("user", "list")["accounts"] == []


def test_the_data_of_a_removed_user_may_stay(operator: CloudOperator) -> None:
    jo = operator.adds("jo")
    url = operator.container_of(jo)
    operator.gets("user", "remove", jo.name, "--keep-data")
    assert operator.head(url).ok
    assert operator.keystone_users(jo.name) == []


def test_a_new_password_is_keystone_s_as_well(operator: CloudOperator) -> None:
    kai = operator.adds("kai")
    operator.gets("user", "set", kai.name, "--password-stdin", text="a new one altogether")
    with pytest.raises(Refused):
        operator.cloud.token_of(kai)
    answer = operator.cloud._session.post(
        f"{operator.cloud.keystone_url}/auth/tokens",
        json={
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {"id": kai.id, "password": "a new one altogether"}},
                }
            }
        },
    )
    assert answer.status_code == 201


def test_a_new_quota_is_the_container_s_as_well(operator: CloudOperator) -> None:
    lea = operator.adds("lea", "--quota", "1M")
    operator.gets("user", "set", lea.name, "--quota", "2M")
    told = operator.head(operator.container_of(lea)).headers
    assert told["X-Container-Meta-Quota-Bytes"] == str(2 * 1024**2)


def test_a_password_is_in_no_error_and_no_answer(operator: CloudOperator) -> None:
    secret = "a very secret sentence"
    mia = operator.types("user", "add", operator.email("mia"), "--password-stdin", text=secret)
    again = operator.types("user", "add", "mia", "--password-stdin", text=secret)
    assert secret not in mia.stdout + mia.stderr + again.stdout + again.stderr
