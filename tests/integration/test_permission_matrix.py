"""What everybody may do with a shared folder: every resource and every method, for every role.

The rows are those of the tree of resources and of the table of methods: a new
one that has no row here fails.  Who is no member is answered as if there were
nothing.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from attrs import frozen
from twisted.internet.task import Clock

from stacksync.config import HttpConfig
from stacksync.protocols.amqp.front_end import methods_of
from stacksync.protocols.http.events import EventStreams
from stacksync.protocols.http.holdings import holdings_from
from stacksync.protocols.http.resource import JSONResource
from stacksync.protocols.http.tree import make_tree
from tests.integration.amqp_device import AmqpDevice
from tests.integration.answers import Refused
from tests.integration.items import new_file
from tests.integration.people import People
from tests.integration.permission_methods import LAST, METHODS
from tests.integration.permission_stage import (
    ANSWER,
    LEAVE,
    MEMBERS,
    OWN,
    OWNER,
    READ,
    ROLES,
    SECRET,
    WRITE,
    Codes,
    SharedFolder,
    device_of,
    is_invited,
    other,
)
from tests.protocols.http.engines import AnybodyIsAnna, MadeUpEngine
from tests.servers.stacksync import KnownUser, StackSyncProcess

Request = tuple[str, dict[str, Any]]


@frozen
class Row:
    """A call, and what it is answered with, 200 standing for any success.

    :ivar make: path and options of a request about the folder, by somebody.
    :ivar is_last: it changes what the user is to the folder, who is a new one each time.
    """

    codes: Codes
    make: Callable[[SharedFolder, KnownUser], Request]
    is_last: bool = False


def row(codes: Codes, path: str, is_last: bool = False, **options: Any) -> Row:
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
            "asked": lambda: folder.proposal_to(
                user if is_invited(folder, user) else other(folder)
            ),
        }
        told = {name: make() for name, make in names.items() if f"{{{name}}}" in path}
        where = path.format(
            **told, shared=folder.id, workspace=folder.workspace, device=folder.device
        )
        return where, {k: v(folder) if callable(v) else v for k, v in options.items()}

    return Row(codes, make, is_last)


def upload(folder: SharedFolder) -> str:
    """The path of an unfinished upload of the owner's."""
    made = folder.ask(folder.users["owner"], "POST", "/uploads", headers=tus(folder))
    assert made.ok, made.text
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
    "GET /devices": row(OWN, "/devices"),
    "POST /devices": row(OWN, "/devices", json={"name": "phone"}),
    "PUT /devices/{device}": row(OWNER, "/devices/{device}", json={"name": "laptop"}),
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
    "GET /trash": row(READ, "/trash?workspace={workspace}"),
    "OPTIONS /uploads": row(OWN, "/uploads"),
    "POST /uploads": row(WRITE, "/uploads", headers=tus),
    "OPTIONS /uploads/{upload}": on_upload(OWN),
    "GET /uploads/{upload}": on_upload(OWNER),
    "PATCH /uploads/{upload}": on_upload(OWNER, **PIECE),
    "DELETE /uploads/{upload}": on_upload(OWNER),
    "GET /workspaces": row(OWN, "/workspaces"),
    "GET /workspaces/{workspace}": row(READ, "/workspaces/{workspace}"),
    "PUT /workspaces/{workspace}": row(READ, "/workspaces/{workspace}", **NAMED),
    "GET /workspaces/{workspace}/changes": row(READ, "/workspaces/{workspace}/changes"),
    "POST /workspaces/{workspace}/commits": Row(
        WRITE,
        lambda folder, user: (
            f"/workspaces/{folder.workspace}/commits",
            {"json": {**batch(folder), "device_id": device_of(folder, user)}},
        ),
    ),
    "GET /workspaces/{workspace}/chunks/{chunk}": row(
        READ, "/workspaces/{workspace}/chunks/{chunk}"
    ),
    "PUT /workspaces/{workspace}/chunks/{chunk}": row(
        WRITE, "/workspaces/{workspace}/chunks/new", data=b"x"
    ),
}
OPEN_TO_ALL = {"GET /openapi.json"}


@pytest.fixture(scope="module")
def folder(server: StackSyncProcess, people: People) -> Iterator[SharedFolder]:
    with closing(SharedFolder(server, people)) as made:
        yield made


def whoever(folder: SharedFolder, role: str, is_last: bool) -> KnownUser:
    return folder.somebody(role) if is_last and role != "owner" else folder.users[role]


@pytest.mark.parametrize("call", RESOURCES)
def test_what_each_role_may_do_with_a_resource(folder: SharedFolder, call: str) -> None:
    row = RESOURCES[call]
    told = {}
    for role in ROLES:
        user = whoever(folder, role, row.is_last)
        path, options = row.make(folder, user)
        with closing(folder.ask(user, call.split()[0], path, **options)) as answer:
            told[role] = 200 if answer.ok else answer.status_code
            body = next(answer.iter_content(2**20), b"")
            assert role in MEMBERS or SECRET.encode() not in body, (role, body)

    assert told == row.codes


@pytest.mark.parametrize("method", METHODS)
def test_what_each_role_may_do_with_a_method(
    folder: SharedFolder, server: StackSyncProcess, method: str
) -> None:
    codes, make = METHODS[method]
    allowed = {}
    for role in ROLES:
        user = whoever(folder, role, method in LAST)
        with closing(AmqpDevice(server.amqp_url, user)) as device:
            asking = make(folder, user)
            told = outcome(device, method, asking)
            allowed[role] = not isinstance(told, Refused)
            if isinstance(told, Refused):
                assert codes[role] != 404 or "no such" in told.message, (role, told)
            else:
                assert role in MEMBERS or SECRET not in repr(told), role

    assert allowed == {role: code == 200 for role, code in codes.items()}


def outcome(device: AmqpDevice, method: str, asking: dict[str, Any]) -> Any:
    """What a method answers, or that it refuses to."""
    try:
        return device.call(method, **asking)
    except Refused as refused:
        return refused


def test_every_resource_has_a_row() -> None:
    engine, settings, clock = MadeUpEngine(), HttpConfig(), Clock()
    streams = EventStreams(clock, settings, holdings_from(engine))
    root = make_tree(clock, engine, AnybodyIsAnna(), streams, [], settings)

    assert set(calls_below(root.children[b"api"], "")) == RESOURCES.keys() | OPEN_TO_ALL


def calls_below(resource: JSONResource, path: str) -> Iterator[str]:
    for method in resource.methods - {b"HEAD"} or ():
        yield f"{method.decode()} {path}"
    if b"HEAD" in resource.methods and b"GET" not in resource.methods:
        yield f"HEAD {path}"
    for name, child in resource.children.items():
        yield from calls_below(child, f"{path}/{name.decode()}")
    if resource.variable is not None:
        name, child = resource.variable
        yield from calls_below(child, f"{path}/{{{name}}}")


def test_every_method_has_a_row() -> None:
    assert methods_of(MadeUpEngine()).keys() == METHODS.keys()
