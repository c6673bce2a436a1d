"""Users are made, completed, adopted and removed; strangers are left alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from stacksync.errors import Conflict, Forbidden, InvalidRequest
from stacksync.storage.keystone import Identities, Identity, IdentityNotFound, Keystone
from tests.servers.openstack.cloud import CloudProject, CloudUser
from tests.servers.openstack.server import OpenStackServer

PASSWORD = "correct horse"
NEW_PASSWORD = "battery staple"
WEAK = "weak secret"


def name_of(project: CloudProject, name: str = "anna") -> str:
    """An e-mail that no other test uses."""
    return f"{name}@{project.name}.example.org"


async def create(identities: Identities, name: str, password: str = PASSWORD) -> Identity:
    return await identities.create(name, password, email=name)


def roles_of(openstack: OpenStackServer, project: CloudProject, user_id: str) -> set[str]:
    path = f"/role_assignments?user.id={user_id}&scope.project.id={project.id}&include_names"
    return {each["role"]["name"] for each in openstack.cloud.admin("GET", path)["role_assignments"]}


@pytest_twisted.ensureDeferred
async def test_a_new_user_has_the_role_and_the_mark_and_signs_in(
    openstack: OpenStackServer, project: CloudProject, identities: Identities
) -> None:
    name = name_of(project)
    assert await identities.find(name) is None
    anna = await create(identities, name)
    assert anna == Identity(anna.id, name, enabled=True, is_ours=True)
    assert await identities.find(name) == await identities.get(anna.id) == anna
    assert roles_of(openstack, project, anna.id) == {"member"}
    assert openstack.cloud.token_of(CloudUser(anna.id, name, PASSWORD), project)
    user = openstack.cloud.admin("GET", f"/users/{anna.id}")["user"]
    assert (user["email"], user["default_project_id"]) == (name, project.id)


@pytest_twisted.ensureDeferred
async def test_a_create_that_was_cut_short_is_completed_with_the_new_password(
    openstack: OpenStackServer, project: CloudProject, identities: Identities
) -> None:
    name = name_of(project)
    anna = await create(identities, name)
    openstack.cloud.withdraw(CloudUser(anna.id, name, PASSWORD), project.id, "member")
    openstack.cloud.admin("PATCH", f"/users/{anna.id}", {"user": {"enabled": False}})
    assert await create(identities, name, NEW_PASSWORD) == anna
    assert roles_of(openstack, project, anna.id) == {"member"}
    assert await identities.check_password(anna.id, NEW_PASSWORD)
    assert not await identities.check_password(anna.id, PASSWORD)


@pytest_twisted.ensureDeferred
async def test_a_password_that_the_user_has_is_not_set_again(
    openstack: OpenStackServer, project: CloudProject, identities: Identities
) -> None:
    name = name_of(project)
    anna = await create(identities, name)
    token = openstack.cloud.token_of(CloudUser(anna.id, name, PASSWORD), project)
    assert await create(identities, name) == anna
    # A password that is set ends the tokens from before.
    assert await identities.of_token(token) is not None


@pytest_twisted.ensureDeferred
async def test_two_who_make_the_same_user_make_one(
    openstack: OpenStackServer, project: CloudProject, identities: Identities
) -> None:
    name = name_of(project)
    await identities.find(name)
    both = [Deferred.fromCoroutine(create(identities, name)) for _ in range(2)]
    first, second = await gatherResults(both)
    assert first == second
    assert await identities.check_password(first.id, PASSWORD)
    assert roles_of(openstack, project, first.id) == {"member"}


@pytest_twisted.ensureDeferred
async def test_a_strangers_name_is_taken_and_the_stranger_untouched(
    openstack: OpenStackServer, project: CloudProject, identities: Identities
) -> None:
    stranger = openstack.cloud.user("stranger")
    with pytest.raises(Conflict, match=f"a user {stranger.name} that StackSync did not make"):
        await create(identities, stranger.name)
    with pytest.raises(Forbidden, match=stranger.name):
        await identities.set_password(stranger.id, NEW_PASSWORD)
    assert not await identities.remove(stranger.id)
    assert await identities.check_password(stranger.id, stranger.password)
    assert roles_of(openstack, project, stranger.id) == set()


@pytest_twisted.ensureDeferred
async def test_another_installations_user_is_a_stranger(
    openstack: OpenStackServer,
    project: CloudProject,
    identities: Identities,
    connect: Callable[..., Keystone],
) -> None:
    theirs = Identities(connect(openstack.cloud.project("other")))
    anna = await create(theirs, name_of(project))
    assert not (await identities.get(anna.id)).is_ours
    assert not await identities.remove(anna.id)
    assert (await theirs.get(anna.id)).is_ours


@pytest_twisted.ensureDeferred
async def test_a_user_who_is_there_is_adopted_by_id_or_name(
    openstack: OpenStackServer, project: CloudProject, identities: Identities
) -> None:
    bert, carla = openstack.cloud.user("bert"), openstack.cloud.user("carla")
    for user, key in ((bert, bert.id), (carla, carla.name), (carla, carla.id)):
        assert await identities.adopt(key) == Identity(user.id, user.name, True, False)
        assert roles_of(openstack, project, user.id) == {"member"}
    for nobody in ("nobody@example.org", "..", "a/b?c", "x" * 300):
        with pytest.raises(IdentityNotFound, match="no such Keystone user"):
            await identities.adopt(nobody)


@pytest_twisted.ensureDeferred
async def test_a_user_of_ours_is_removed_once(
    project: CloudProject, identities: Identities
) -> None:
    anna = await create(identities, name_of(project))
    assert await identities.remove(anna.id)
    assert not await identities.remove(anna.id)
    assert await identities.get(anna.id) is None
    with pytest.raises(IdentityNotFound):
        await identities.set_password(anna.id, NEW_PASSWORD)


@pytest.mark.parametrize("name", ["änna+ö@example.org", "o'neill & söhne?#/%", "林@example.org"])
@pytest_twisted.ensureDeferred
async def test_names_in_any_script_are_found(
    project: CloudProject, identities: Identities, name: str
) -> None:
    name = f"{name} {project.name}"
    anna = await create(identities, name)
    assert await identities.find(name) == anna
    assert await identities.check_password(anna.id, PASSWORD)


@pytest.mark.parametrize("wrong", ["", "correct hors", "x" * 5000, "\0", "correct horse\0", "ä"])
@pytest_twisted.ensureDeferred
async def test_a_wrong_password_is_told_from_the_right_one(
    project: CloudProject, identities: Identities, wrong: str
) -> None:
    anna = await create(identities, name_of(project))
    assert await identities.check_password(anna.id, PASSWORD)
    assert not await identities.check_password(anna.id, wrong)


@pytest_twisted.ensureDeferred
async def test_nobody_and_the_disabled_have_no_right_password(
    openstack: OpenStackServer, project: CloudProject, identities: Identities
) -> None:
    anna = await create(identities, name_of(project))
    openstack.cloud.disable(CloudUser(anna.id, anna.name, PASSWORD))
    assert not await identities.check_password(anna.id, PASSWORD)
    assert not await identities.check_password("nobody", PASSWORD)
    assert not await identities.check_password("", PASSWORD)


@pytest_twisted.ensureDeferred
async def test_a_changed_password_counts_at_once(
    project: CloudProject, identities: Identities
) -> None:
    anna = await create(identities, name_of(project))
    await identities.set_password(anna.id, NEW_PASSWORD)
    assert await identities.check_password(anna.id, NEW_PASSWORD)
    assert not await identities.check_password(anna.id, PASSWORD)


@pytest_twisted.ensureDeferred
async def test_what_keystone_does_not_take_is_told_without_citing_the_password(
    project: CloudProject, identities: Identities
) -> None:
    anna = await create(identities, name_of(project))
    for attempt in (
        create(identities, name_of(project, "bert"), WEAK),
        create(identities, anna.name, WEAK),
        identities.set_password(anna.id, WEAK),
    ):
        with pytest.raises(InvalidRequest, match=r"password: .*not one that begins with weak") as e:
            await attempt
        assert WEAK not in str(e.value)
    with pytest.raises(InvalidRequest, match="name: "):
        await create(identities, "x" * 300)


@pytest_twisted.ensureDeferred
async def test_a_valid_token_tells_whose_it_is_and_until_when(
    openstack: OpenStackServer, project: CloudProject, identities: Identities
) -> None:
    anna = openstack.cloud.user("anna", project)
    for token in (openstack.cloud.token_of(anna, project), openstack.cloud.token_of(anna)):
        found = await identities.of_token(token)
        assert found is not None
        user_id, expires_at = found
        assert user_id == anna.id
        assert timedelta(minutes=55) < expires_at - datetime.now(UTC) <= timedelta(hours=1)


@pytest_twisted.ensureDeferred
async def test_revoked_made_up_and_impossible_tokens_are_nobodys(
    openstack: OpenStackServer, project: CloudProject, identities: Identities, keystone: Keystone
) -> None:
    anna = openstack.cloud.user("anna", project)
    token = openstack.cloud.token_of(anna, project)
    openstack.cloud.revoke(token)
    own = await keystone.token()
    for wrong in (token, "", "x", "gAAAAA" + "b" * 200, "a b", "a\r\nX-Evil: 1", "ü", token[:-3]):
        assert await identities.of_token(wrong) is None
    assert await keystone.token() == own


@pytest_twisted.ensureDeferred
async def test_a_strangers_token_is_validated_though_ours_was_revoked(
    openstack: OpenStackServer, project: CloudProject, identities: Identities, keystone: Keystone
) -> None:
    anna = openstack.cloud.user("anna", project)
    token = openstack.cloud.token_of(anna, project)
    openstack.cloud.revoke(await keystone.token())
    assert (await identities.of_token(token))[0] == anna.id
