"""``/folder/:id/share`` and ``/shares``: folders are proposed, and the proposals answered."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pytest_twisted import ensureDeferred

from tests.protocols.http.conftest import Server, User

Part = dict[str, Any]


async def proposed(owner: User, guest: User, name: str = "Fotos", **said: Any) -> Part:
    """The proposal of a new folder of the owner's that waits for the guest."""
    folder = (await owner.folder(name))["id"]
    content = {"share_to": [guest.account.email], **said}
    answer = await owner.client.post(f"/api/folder/{folder}/share", content)
    assert answer.code == 201, answer.body
    (waiting,) = (await guest.client.get("/api/shares")).json["shares"]
    return dict(waiting)


@ensureDeferred
async def test_a_folder_is_proposed_by_an_array_or_by_an_object(anna: User) -> None:
    folder = (await anna.folder("Fotos"))["id"]
    share = f"/api/folder/{folder}/share"

    by_array = await anna.client.post(share, ["x@example.org"])
    by_object = await anna.client.post(share, {"share_to": ["y@example.org"], "role": "viewer"})

    assert (by_array.code, by_object.code) == (201, 201)
    told = {"name": None, "email": "x@example.org", "state": "invited"}
    assert by_array.json == {"shared_to": [told]}
    pending = (await anna.client.get(f"/api/folder/{folder}/shares")).json["shares"]
    assert {each["email"]: each["role"] for each in pending} == {
        "x@example.org": "editor",
        "y@example.org": "viewer",
    }


@ensureDeferred
async def test_a_proposal_waits_for_its_addressee(anna: User, bert: User) -> None:
    waiting = await proposed(anna, bert, role="viewer", is_encrypted=True)

    assert waiting == {
        "id": waiting["id"],
        "item_id": waiting["item_id"],
        "folder_name": "Fotos",
        "owner": {
            "id": str(anna.account.id),
            "email": anna.account.email,
            "name": anna.account.name,
        },
        "email": bert.account.email,
        "role": "viewer",
        "is_encrypted": True,
        "state": "pending",
        "created_at": waiting["created_at"],
        "expires_at": waiting["expires_at"],
        "workspace_id": waiting["workspace_id"],
    }
    assert waiting["expires_at"] > waiting["created_at"]
    assert (await anna.client.get("/api/shares")).json == {"shares": []}


@ensureDeferred
async def test_who_accepts_gets_the_workspace_where_it_is_wanted(anna: User, bert: User) -> None:
    waiting = await proposed(anna, bert)
    home = (await bert.folder("From others"))["id"]
    wanted = {"name": "Annas", "parent": home, "request_id": "accept"}

    accepted = await bert.client.post(f"/api/shares/{waiting['id']}/accept", wanted)
    again = await bert.client.post(f"/api/shares/{waiting['id']}/accept", wanted)

    assert accepted.code == again.code == 200
    workspace = accepted.json
    assert (workspace["id"], workspace["root_item_id"]) == (
        waiting["workspace_id"],
        waiting["item_id"],
    )
    assert (workspace["name"], workspace["parent_item_id"]) == ("Annas", home)
    assert (workspace["role"], workspace["is_shared"]) == ("editor", True)
    assert again.json["id"] == workspace["id"]
    shown = await bert.client.get(f"/api/workspaces/{workspace['id']}")
    assert shown.json == workspace
    assert (await bert.client.get("/api/shares")).json == {"shares": []}


@ensureDeferred
async def test_accepting_needs_no_body(anna: User, bert: User) -> None:
    waiting = await proposed(anna, bert)

    accepted = await bert.client.post(f"/api/shares/{waiting['id']}/accept")

    assert accepted.code == 200
    assert (accepted.json["name"], accepted.json["parent_item_id"]) == ("Fotos", None)


@ensureDeferred
async def test_a_proposal_is_declined_or_taken_back_and_then_answered_no_more(
    anna: User, bert: User
) -> None:
    for name, who, method, path in (
        ("one", bert, "POST", "/api/shares/{}/decline"),
        ("two", anna, "DELETE", "/api/shares/{}"),
    ):
        waiting = await proposed(anna, bert, name)
        for _ in range(2):
            ended = await who.client.request(method, path.format(waiting["id"]))
            assert ended.code == 200, ended.body
        assert ended.json["state"] in ("declined", "withdrawn")
        assert (await bert.client.get("/api/shares")).json == {"shares": []}
        late = await bert.client.post(f"/api/shares/{waiting['id']}/accept")
        assert late.code == 409
        assert waiting["id"] in late.json["description"]


@ensureDeferred
async def test_somebody_elses_proposal_looks_like_none(
    server: Server, anna: User, bert: User
) -> None:
    waiting = await proposed(anna, bert)
    stranger = await server.user()

    for proposal in (waiting["id"], str(uuid4()), "nonsense"):
        for method, path in (
            ("POST", f"/api/shares/{proposal}/accept"),
            ("POST", f"/api/shares/{proposal}/decline"),
            ("DELETE", f"/api/shares/{proposal}"),
        ):
            answer = await stranger.client.request(method, path)
            assert answer.code == 404
            assert answer.json["description"] == f"no such share proposal: {proposal}"


MANY = [f"{number}@example.org" for number in range(101)]


@pytest.mark.parametrize(
    ("content", "parameter", "problem"),
    [
        ({}, "share_to", "is missing"),
        ({"share_to": "a@b"}, "share_to", "must be a list of e-mail addresses"),
        ({"share_to": []}, "share_to", "is empty: name one e-mail address at least"),
        ([], "body", "is empty: name one e-mail address at least"),
        ({"share_to": ["a@b", 7]}, "share_to[1]", "must be a string"),
        (["a@b", None], "body[1]", "must be a string"),
        ({"share_to": ["a@b", "c"]}, "share_to[1]", "'c' is not an e-mail address"),
        ({"share_to": ["a@b", "c@d", "A@B"]}, "share_to[2]", "is the same as share_to[0]"),
        ({"share_to": MANY}, "share_to", "has 101 e-mail addresses; 100 are allowed"),
        ({"share_to": ["a@b"], "role": "owner"}, "role", "must be one of editor, viewer"),
        ({"share_to": ["a@b"], "role": 1}, "role", "must be a string"),
        ({"share_to": ["a@b"], "is_encrypted": 0}, "is_encrypted", "must be true or false"),
        ("a@b", "body", "must be an object"),
    ],
)
@ensureDeferred
async def test_what_cannot_be_a_proposal_is_refused_with_the_place(
    anna: User, content: Any, parameter: str, problem: str
) -> None:
    folder = (await anna.folder("Fotos"))["id"]

    answer = await anna.client.post(f"/api/folder/{folder}/share", content)

    assert (answer.code, answer.json["parameter"]) == (400, parameter)
    assert answer.json["description"] == f"{parameter}: {problem}"


@ensureDeferred
async def test_nobody_left_to_ask_is_refused(anna: User) -> None:
    folder = (await anna.folder("Fotos"))["id"]
    content = {"share_to": [anna.account.email.upper()]}

    answer = await anna.client.post(f"/api/folder/{folder}/share", content)

    assert (answer.code, answer.json["parameter"]) == (400, "share_to")
    assert "No addressees found" in answer.json["description"]


@ensureDeferred
async def test_what_is_no_folder_is_not_shared(anna: User) -> None:
    file = (await anna.upload("file"))["id"]

    root = await anna.client.post("/api/folder/0/share", ["a@b"])
    answer = await anna.client.post(f"/api/folder/{file}/share", ["a@b"])

    assert (root.code, root.json["description"]) == (
        403,
        "folder 0 is the root, which can't be shared",
    )
    assert answer.code == 404
    assert answer.json["description"] == f"no such folder: {file} is a file, at /api/file/{file}"
