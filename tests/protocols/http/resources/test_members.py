"""``/folder/:id/members``, ``unshare`` and ``leave``: who takes part, and how that ends."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.conftest import User
from tests.protocols.http.resources.test_proposals import proposed


async def shared(owner: User, guest: User) -> int:
    """A folder that the two share."""
    waiting = await proposed(owner, guest)
    accepted = await guest.client.post(f"/api/shares/{waiting['id']}/accept")
    assert accepted.code == 200, accepted.body
    return int(waiting["item_id"])


@ensureDeferred
async def test_members_are_told_the_owner_first(anna: User, bert: User) -> None:
    folder = await shared(anna, bert)

    told = await bert.client.get(f"/api/folder/{folder}/members")

    assert told.code == 200
    owner, guest = told.json
    assert owner == {
        "name": anna.account.name,
        "email": anna.account.email,
        "joined_at": owner["joined_at"],
        "is_owner": True,
        "role": "owner",
    }
    assert (guest["email"], guest["is_owner"], guest["role"]) == (
        bert.account.email,
        False,
        "editor",
    )
    assert (await anna.client.get(f"/api/folder/{folder}/members")).json == told.json


@pytest.mark.parametrize("as_object", [True, False])
@ensureDeferred
async def test_who_is_unshared_sees_nothing_any_more(
    anna: User, bert: User, as_object: bool
) -> None:
    folder = await shared(anna, bert)
    emails = [bert.account.email.upper(), "nobody@example.org"]

    content = {"unshare_to": emails} if as_object else emails
    answer = await anna.client.post(f"/api/folder/{folder}/unshare", content)

    assert answer.code == 200
    assert answer.json == {
        "unshared_to": [
            {"name": bert.account.name, "email": bert.account.email, "state": "removed"}
        ]
    }
    assert (await bert.client.get(f"/api/folder/{folder}")).code == 404
    assert (await bert.client.get(f"/api/folder/{folder}/members")).code == 404
    assert len((await bert.client.get("/api/workspaces")).json["workspaces"]) == 1
    mine = await anna.client.get(f"/api/folder/{folder}")
    assert (mine.code, mine.json["filename"]) == (200, "Fotos")


@ensureDeferred
async def test_a_guest_leaves_and_the_owner_cannot(anna: User, bert: User) -> None:
    folder = await shared(anna, bert)

    assert (await anna.client.post(f"/api/folder/{folder}/leave")).code == 409
    left = await bert.client.post(f"/api/folder/{folder}/leave", {})

    assert (left.code, left.json) == (200, {"id": folder})
    assert (await bert.client.post(f"/api/folder/{folder}/leave")).code == 404


@ensureDeferred
async def test_the_owner_cannot_be_unshared_nor_is_oneself(anna: User, bert: User) -> None:
    folder = await shared(anna, bert)
    unshare = f"/api/folder/{folder}/unshare"

    owner = await bert.client.post(unshare, {"unshare_to": [anna.account.email]})
    nobody = await bert.client.post(unshare, [bert.account.email, "nobody@example.org"])

    assert (owner.code, owner.json["parameter"]) == (400, "unshare_to")
    assert (
        f"{anna.account.email} corresponds with owner of the folder." in (owner.json["description"])
    )
    assert (nobody.code, nobody.json["parameter"]) == (400, "body")
    assert "No addressees found" in nobody.json["description"]


@ensureDeferred
async def test_what_names_nobody_is_refused_with_the_place(anna: User) -> None:
    folder = (await anna.folder("Fotos"))["id"]

    twice = await anna.client.post(f"/api/folder/{folder}/unshare", ["a@b", "A@b"])
    missing = await anna.client.post(f"/api/folder/{folder}/unshare", {})

    assert (twice.code, twice.json["parameter"]) == (400, "body[1]")
    assert (missing.code, missing.json["parameter"]) == (400, "unshare_to")
