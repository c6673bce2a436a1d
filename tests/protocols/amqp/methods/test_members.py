"""Who takes part in a folder, on AMQP, and how that ends."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from tests.protocols.amqp.conftest import User
from tests.protocols.amqp.methods.test_proposals import proposed


async def shared(owner: User, guest: User) -> int:
    """A folder that the two share."""
    folder, waiting = await proposed(owner, guest)
    await guest.call("acceptShareProposal", proposalId=waiting["proposalId"])
    return folder


@ensureDeferred
async def test_members_are_told_the_owner_first(anna: User, bert: User) -> None:
    folder = await shared(anna, bert)

    owner, guest = await bert.call("getShareMembers", itemId=folder)

    assert owner == {
        "name": "Änne",
        "email": anna.account.email,
        "joinedAt": owner["joinedAt"],
        "isOwner": True,
        "role": "owner",
    }
    assert (guest["email"], guest["isOwner"], guest["role"]) == (
        bert.account.email,
        False,
        "editor",
    )


@ensureDeferred
async def test_who_is_unshared_sees_nothing_any_more(anna: User, bert: User) -> None:
    folder = await shared(anna, bert)

    told = await anna.call("unshare", itemId=folder, emails=[bert.account.email.upper()])

    assert told == [{"name": "Änne", "email": bert.account.email, "state": "removed"}]
    assert len(await bert.call("getWorkspaces")) == 1
    assert await bert.refusal("getShareMembers", itemId=folder) == (
        "IllegalArgumentException",
        f"no such item: {folder}",
    )


@ensureDeferred
async def test_a_guest_leaves_and_the_owner_cannot(anna: User, bert: User) -> None:
    folder = await shared(anna, bert)

    kind, message = await anna.refusal("leaveShare", itemId=folder)
    assert (kind, str(folder) in message) == ("IllegalArgumentException", True)
    assert await bert.call("leaveShare", itemId=folder) is None
    assert len(await bert.call("getWorkspaces")) == 1


@ensureDeferred
async def test_the_owner_cannot_be_unshared(anna: User, bert: User) -> None:
    folder = await shared(anna, bert)

    assert await bert.refusal("unshare", itemId=folder, emails=[anna.account.email]) == (
        "IllegalArgumentException",
        f"emails: {anna.account.email} corresponds with owner of the folder.",
    )


@ensureDeferred
async def test_what_names_nobody_is_refused_with_the_place(anna: User) -> None:
    assert await anna.refusal("unshare", itemId=1, emails=["a@b", "A@b"]) == (
        "IllegalArgumentException",
        "emails[1]: is the same as emails[0]",
    )
    assert (await anna.refusal("leaveShare"))[1] == "itemId: is missing"
