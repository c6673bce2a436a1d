"""Share proposals on AMQP: made, listed, accepted, declined, taken back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.amqp.builders import new_folder
from tests.protocols.amqp.conftest import User


async def folder_of(user: User, name: str = "Fotos") -> int:
    told = await user.commit(new_folder(name, -1))
    return int(told["items"][0]["metadata"]["id"])


async def proposed(owner: User, guest: User, **fields: Any) -> tuple[int, dict[str, Any]]:
    """A new folder of the owner's, and the proposal of it that waits for the guest."""
    folder = await folder_of(owner, fields.pop("name", "Fotos"))
    emails = [guest.account.email]
    told = await owner.call("createShareProposal", itemId=folder, emails=emails, **fields)
    assert told == [{"name": None, "email": guest.account.email, "state": "invited"}]
    (waiting,) = await guest.call("getShareProposals")
    return folder, waiting


@ensureDeferred
async def test_a_proposal_waits_for_its_addressee(anna: User, bert: User) -> None:
    folder, waiting = await proposed(anna, bert, role="viewer")

    assert waiting == {
        "proposalId": waiting["proposalId"],
        "workspaceId": waiting["workspaceId"],
        "folderName": "Fotos",
        "itemId": folder,
        "ownerId": anna.id,
        "ownerName": "Änne",
        "ownerEmail": anna.account.email,
        "swiftContainer": waiting["workspaceId"],
        "isEncrypted": False,
        "email": bert.account.email,
        "role": "viewer",
        "state": "pending",
        "createdAt": waiting["createdAt"],
        "expiresAt": waiting["expiresAt"],
    }
    assert await anna.call("getShareProposals") == []
    assert await anna.call("getShareProposals", itemId=folder) == [waiting]


@ensureDeferred
async def test_who_accepts_gets_the_workspace_where_it_is_wanted(anna: User, bert: User) -> None:
    folder, waiting = await proposed(anna, bert)
    home = await folder_of(bert, "From others")
    wanted = {
        "proposalId": waiting["proposalId"],
        "workspaceName": "Annas",
        "parentItemId": home,
        "requestId": "accept",
    }

    told = await bert.call("acceptShareProposal", **wanted)

    assert told["id"] == waiting["workspaceId"]
    assert (told["name"], told["parentItem"], told["role"]) == ("Annas", {"id": home}, "editor")
    assert (told["rootItem"], told["isShared"]) == ({"id": folder}, True)
    assert (await bert.call("acceptShareProposal", **wanted))["id"] == told["id"]
    assert told["id"] in [each["id"] for each in await bert.call("getWorkspaces")]
    assert await bert.call("getShareProposals") == []


@ensureDeferred
async def test_a_proposal_is_declined_or_taken_back_and_then_answered_no_more(
    anna: User, bert: User
) -> None:
    for who, method in ((bert, "declineShareProposal"), (anna, "withdrawShareProposal")):
        _, waiting = await proposed(anna, bert, name=method)
        named = {"proposalId": waiting["proposalId"]}

        assert await who.call(method, **named) is None
        assert await who.call(method, **named) is None

        assert await bert.call("getShareProposals") == []
        kind, message = await bert.refusal("acceptShareProposal", **named)
        assert kind == "IllegalArgumentException"
        assert waiting["proposalId"] in message


@ensureDeferred
async def test_somebody_elses_proposal_looks_like_none(anna: User, bert: User) -> None:
    _, waiting = await proposed(anna, bert)

    for method in ("acceptShareProposal", "declineShareProposal"):
        for proposal_id in (waiting["proposalId"], str(uuid4())):
            assert await anna.refusal(method, proposalId=proposal_id) == (
                "IllegalArgumentException",
                f"no such share proposal: {proposal_id}",
            )


@ensureDeferred
async def test_a_folder_of_somebody_elses_cannot_be_proposed(anna: User, bert: User) -> None:
    folder = await folder_of(anna)

    assert await bert.refusal("createShareProposal", itemId=folder, emails=["a@b"]) == (
        "ShareProposalNotCreatedException",
        f"no such item: {folder}",
    )


@ensureDeferred
async def test_who_has_no_account_is_told_so(anna: User) -> None:
    kind, _ = await anna.refusal(
        "createShareProposal", userId=str(uuid4()), itemId=1, emails=["a@b"]
    )

    assert kind in ("UserNotFoundException", "ShareProposalNotCreatedException")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"itemId": None}, "itemId: is missing"),
        ({"itemId": "1"}, "itemId: must be an integer of 64 bits"),
        ({"emails": None}, "emails: is missing"),
        ({"emails": "a@b"}, "emails: must be a list of e-mail addresses"),
        ({"emails": []}, "emails: is empty: name one e-mail address at least"),
        ({"emails": ["a@b", 7]}, "emails[1]: must be a string"),
        ({"emails": ["a@b", "c"]}, "emails[1]: 'c' is not an e-mail address"),
        ({"emails": ["a@b", "c@d", "A@B"]}, "emails[2]: is the same as emails[0]"),
        ({"emails": ["a@b"] * 101}, "emails: has 101 e-mail addresses; 100 are allowed"),
        ({"role": "owner"}, "role: must be one of editor, viewer"),
        ({"isEncrypted": 1}, "isEncrypted: must be true or false"),
        ({"requestId": None}, "requestId: is missing"),
    ],
)
@ensureDeferred
async def test_what_cannot_be_a_proposal_is_refused_with_the_place(
    anna: User, fields: dict[str, object], complaint: str
) -> None:
    asked = {"itemId": 1, "emails": ["bert@example.org"], **fields}

    assert await anna.refusal("createShareProposal", **asked) == (
        "ShareProposalNotCreatedException",
        complaint,
    )


@ensureDeferred
async def test_nobody_left_to_ask_is_refused(anna: User) -> None:
    folder = await folder_of(anna)

    assert await anna.refusal(
        "createShareProposal", itemId=folder, emails=[anna.account.email]
    ) == ("ShareProposalNotCreatedException", "emails: No addressees found")
