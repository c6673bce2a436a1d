"""Every resource, who may call it about a shared folder, and a request that does."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from attrs import frozen

from tests.integration.clients.items import new_file
from tests.integration.permissions.stage import (
    ANSWER,
    LEAVE,
    OWN,
    OWNER,
    READ,
    WRITE,
    Codes,
    SharedFolder,
    device_of,
    is_invited,
    other,
)
from tests.servers.stacksync import KnownUser

Request = tuple[str, dict[str, Any]]


@frozen
class Row:
    """A call, and what it is answered with, 200 standing for any success.

    :ivar make: path and options of a request about the folder, by somebody.
    :ivar is_personal: the request is another one for each who asks.
    :ivar is_last: it changes what the user is to the folder, who is a new one each time.
    :ivar takes_account: it is refused to all who hold only a part of the account's rights.
    :ivar takes_password: it is refused to all who have signed in otherwise.
    """

    codes: Codes
    make: Callable[[SharedFolder, KnownUser], Request]
    is_personal: bool = False
    is_last: bool = False
    takes_account: bool = False
    takes_password: bool = False


def row(
    codes: Codes,
    path: str,
    is_last: bool = False,
    takes_account: bool = False,
    **options: Any,
) -> Row:
    """A row whose request is made of what is there; names in braces are made newly.

    Options that are functions are given the folder.
    """

    def make(folder: SharedFolder, user: KnownUser) -> Request:
        names = {
            "file": folder.file,
            "folder": folder.folder,
            "gone_file": lambda: folder.deleted("file"),
            "gone_folder": lambda: folder.deleted("folder"),
            "chunk": folder.chunk,
            "proposal": folder.proposal,
            "token": folder.token,
            "lost_device": folder.lost_device,
            # A device's token describes that device alone.
            "signed_in_device": lambda: folder.device_of(folder.users["owner"]),
            "asked": lambda: folder.proposal_to(
                user if is_invited(folder, user) else other(folder)
            ),
        }
        told = {name: make() for name, make in names.items() if f"{{{name}}}" in path}
        where = path.format(
            **told, shared=folder.id, workspace=folder.workspace, device=folder.device
        )
        return where, {k: v(folder) if callable(v) else v for k, v in options.items()}

    return Row(codes, make, "{asked}" in path, is_last, takes_account)


def upload(folder: SharedFolder) -> str:
    """The path of an unfinished upload of the owner's."""
    made = folder.ask(folder.users["owner"], "POST", "/uploads", headers=tus(folder))
    assert made.ok, made.body
    return made.headers["Location"].removeprefix("/api")


def tus(folder: SharedFolder) -> dict[str, str]:
    told = {"filename": folder.name(), "parent": str(folder.id)}
    encoded = [f"{name} {b64encode(value.encode()).decode()}" for name, value in told.items()]
    return {**TUS, "Upload-Length": "3", "Upload-Metadata": ",".join(encoded)}


def on_upload(codes: Codes, **headers: str) -> Row:
    return Row(codes, lambda folder, _: (upload(folder), {"headers": TUS | headers, "data": b"x"}))


def batch(folder: SharedFolder) -> dict[str, Any]:
    return {"items": [new_file(folder.name(), parent_id=folder.id)]}


TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
NAMED = {"json": lambda folder: {"name": folder.name()}}

RESOURCES: dict[str, Row] = {
    "GET /account": row(OWN, "/account"),
    # The same as before: those who come after have to sign in.
    "PUT /account/password": Row(
        OWN,
        lambda _, user: ("/account/password", {"json": {"password": user.password}}),
        is_personal=True,
        is_last=True,
        takes_password=True,
    ),
    "GET /devices": row(OWN, "/devices"),
    "POST /devices": row(OWN, "/devices", json={"name": "phone"}),
    "PUT /devices/{device}": row(OWNER, "/devices/{signed_in_device}", json={"name": "laptop"}),
    "DELETE /devices/{device}": row(OWNER, "/devices/{lost_device}", takes_account=True),
    "GET /events": row(OWN, "/events"),
    "POST /file": row(
        WRITE,
        "/file",
        data=b"x",
        params=lambda folder: {"name": folder.name(), "parent": folder.id},
    ),
    "GET /file/{item}": row(READ, "/file/{file}"),
    "PUT /file/{item}": row(WRITE, "/file/{file}", **NAMED),
    "DELETE /file/{item}": row(WRITE, "/file/{file}"),
    "GET /file/{item}/data": row(READ, "/file/{file}/data"),
    "PUT /file/{item}/data": row(WRITE, "/file/{file}/data", data=b"new"),
    "GET /file/{item}/versions": row(READ, "/file/{file}/versions"),
    "GET /file/{item}/version/{version}": row(READ, "/file/{file}/version/1"),
    "POST /file/{item}/version/{version}": row(WRITE, "/file/{file}/version/1"),
    "GET /file/{item}/version/{version}/data": row(READ, "/file/{file}/version/1/data"),
    "POST /file/{item}/restore": row(WRITE, "/file/{gone_file}/restore"),
    "POST /folder": row(
        WRITE, "/folder", json=lambda folder: {"name": folder.name(), "parent": folder.id}
    ),
    "GET /folder/{item}": row(READ, "/folder/{folder}"),
    "PUT /folder/{item}": row(WRITE, "/folder/{folder}", **NAMED),
    "DELETE /folder/{item}": row(WRITE, "/folder/{folder}"),
    "GET /folder/{item}/contents": row(READ, "/folder/{shared}/contents"),
    "POST /folder/{item}/restore": row(WRITE, "/folder/{gone_folder}/restore"),
    "GET /folder/{item}/members": row(READ, "/folder/{shared}/members"),
    "POST /folder/{item}/share": row(WRITE, "/folder/{shared}/share", json=["x@example.org"]),
    "GET /folder/{item}/shares": row(WRITE, "/folder/{shared}/shares"),
    "POST /folder/{item}/unshare": row(
        WRITE, "/folder/{shared}/unshare", json=lambda folder: [folder.address()]
    ),
    "POST /folder/{item}/leave": row(LEAVE, "/folder/{shared}/leave", is_last=True),
    "GET /shares": row(OWN, "/shares"),
    "DELETE /shares/{share}": row(WRITE, "/shares/{proposal}"),
    "POST /shares/{share}/accept": row(ANSWER, "/shares/{asked}/accept", is_last=True),
    "POST /shares/{share}/decline": row(ANSWER, "/shares/{asked}/decline", is_last=True),
    "GET /tokens": row(OWN, "/tokens"),
    "POST /tokens": row(OWN, "/tokens", takes_account=True, json={"name": "phone"}),
    "DELETE /tokens/{token}": row(OWNER, "/tokens/{token}", takes_account=True),
    "GET /trash": row(READ, "/trash?workspace={workspace}"),
    "OPTIONS /uploads": row(OWN, "/uploads"),
    "POST /uploads": row(WRITE, "/uploads", headers=tus),
    "OPTIONS /uploads/{upload}": on_upload(OWN),
    "GET /uploads/{upload}": on_upload(OWNER),
    "PATCH /uploads/{upload}": on_upload(OWNER, **PIECE),
    "DELETE /uploads/{upload}": on_upload(OWNER),
    "GET /workspaces": row(OWN, "/workspaces"),
    "GET /workspaces/{workspace}": row(READ, "/workspaces/{workspace}"),
    "PUT /workspaces/{workspace}": row(
        # Who is invited is told the name.
        READ,
        "/workspaces/{workspace}",
        json=lambda folder: {"name": "Holidays"},
    ),
    "GET /workspaces/{workspace}/changes": row(READ, "/workspaces/{workspace}/changes"),
    "POST /workspaces/{workspace}/commits": Row(
        WRITE,
        lambda folder, user: (
            f"/workspaces/{folder.workspace}/commits",
            {"json": {**batch(folder), "device_id": device_of(folder, user)}},
        ),
        is_personal=True,
    ),
    "GET /workspaces/{workspace}/chunks/{chunk}": row(
        READ, "/workspaces/{workspace}/chunks/{chunk}"
    ),
    "PUT /workspaces/{workspace}/chunks/{chunk}": row(
        WRITE, "/workspaces/{workspace}/chunks/new", data=b"x"
    ),
}
