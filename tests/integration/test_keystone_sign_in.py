"""People sign in to HTTP with what Keystone knows of them: a password, or a token."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import closing

import pytest
import requests

from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.urls import proxy_for, through
from tests.servers.openstack.cloud import CloudProject, CloudUser
from tests.servers.openstack.server import OpenStackServer
from tests.servers.stacksync import StackSyncProcess

KEYSTONE_ONLY = {"passwords": "keystone", "credential_cache": "0s", "failure_delay": "0s"}


def person(server: StackSyncProcess) -> CloudUser:
    """Somebody with an account and a user in Keystone that was made with it."""
    email, password = f"anna-{secrets.token_hex(4)}@example.org", secrets.token_hex(8)
    made = server.admin("user", "add", email, "--password-stdin", text=password)
    return CloudUser(made["identity_id"], email, password)


def account(server: StackSyncProcess, **how: object) -> requests.Response:
    return requests.get(f"{server.http_url}/api/account", timeout=30, **how)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def project(openstack: OpenStackServer) -> CloudProject:
    return openstack.cloud.project()


@pytest.fixture(scope="module")
def server(
    module_fleet: Fleet, module_database_dsn: str, project: CloudProject
) -> StackSyncProcess:
    return module_fleet.start(
        module_database_dsn, keystone=project.options, storage={"url": "swift"}, auth=KEYSTONE_ONLY
    )


def test_the_password_is_keystone_s(server: StackSyncProcess) -> None:
    anna = person(server)
    answer = account(server, auth=(anna.name, anna.password))
    assert answer.status_code == 200
    assert answer.json()["email"] == anna.name
    assert account(server, auth=(anna.name, "another")).status_code == 401


def test_a_token_stands_for_its_user(
    server: StackSyncProcess, openstack: OpenStackServer, project: CloudProject
) -> None:
    anna = person(server)
    token = openstack.cloud.token_of(anna, project)
    answer = account(server, headers={"X-Auth-Token": token})
    assert answer.status_code == 200
    assert answer.json()["email"] == anna.name
    openstack.cloud.revoke(token)
    refused = account(server, headers={"X-Auth-Token": token})
    assert refused.status_code == 401
    assert "no valid token" in refused.json()["description"]
    assert token not in server.log_text()


def test_a_token_of_somebody_without_an_account_is_none(
    server: StackSyncProcess, openstack: OpenStackServer, project: CloudProject
) -> None:
    stranger = openstack.cloud.user("stranger", project)
    token = openstack.cloud.token_of(stranger, project)
    assert account(server, headers={"X-Auth-Token": token}).status_code == 401


def test_a_disabled_user_is_out(server: StackSyncProcess, openstack: OpenStackServer) -> None:
    anna = person(server)
    openstack.cloud.disable(anna)
    assert account(server, auth=(anna.name, anna.password)).status_code == 401


def test_no_account_is_made_up_that_nobody_could_sign_in_to(
    start_server: Callable[..., StackSyncProcess], project: CloudProject
) -> None:
    server = start_server(
        "embedded", keystone=project.options, storage={"url": "swift"}, auth=KEYSTONE_ONLY
    )
    assert server.admin("user", "list")["accounts"] == []


def test_without_keystone_a_token_is_refused_and_says_why(server_on_disk: StackSyncProcess) -> None:
    answer = account(server_on_disk, headers={"X-Auth-Token": "whatever"})
    assert answer.status_code == 401
    assert "X-Auth-Token" in answer.json()["description"]


@pytest.fixture
def server_on_disk(
    start_server: Callable[..., StackSyncProcess], database_dsn: str
) -> StackSyncProcess:
    return start_server(database_dsn)


def test_while_keystone_is_away_nobody_is_told_that_a_password_is_wrong(
    start_server: Callable[..., StackSyncProcess],
    database_dsn: str,
    openstack: OpenStackServer,
    project: CloudProject,
) -> None:
    with closing(proxy_for(openstack.keystone_url)) as wire:
        url = through(wire, openstack.keystone_url)
        server = start_server(
            database_dsn,
            keystone={**project.options, "url": url},
            storage={"url": "swift"},
            auth=KEYSTONE_ONLY,
        )
        anna = person(server)
        wire.refuse()
        answer = account(server, auth=(anna.name, anna.password))
        assert answer.status_code == 503
        assert "keystone" in answer.json()["description"]
        wire.listen()
        assert account(server, auth=(anna.name, anna.password)).status_code == 200
