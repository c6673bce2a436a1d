"""What everybody may do with a shared folder: every resource and every method, for every role.

The rows are those of the tree of resources and of the table of methods: a new
one that has no row here fails.  Who is no member is answered as if there were
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from requests.auth import AuthBase
from twisted.internet.task import Clock

from stacksync.config import HttpConfig
from stacksync.protocols.amqp.front_end import methods_of
from stacksync.protocols.http.events import EventStreams
from stacksync.protocols.http.events.holdings import holdings_from
from stacksync.protocols.http.resource import JSONResource
from stacksync.protocols.http.tree import make_tree
from tests.integration.amqp_device import AmqpDevice
from tests.integration.answers import Refused
from tests.integration.fleet import Fleet
from tests.integration.people import People
from tests.integration.permission_methods import LAST, METHODS
from tests.integration.permission_resources import RESOURCES
from tests.integration.permission_sign_ins import SCOPES, WAYS, SignIns
from tests.integration.permission_stage import MEMBERS, ROLES, SECRET, SharedFolder
from tests.protocols.http.engines import AnybodyIsAnna, MadeUpEngine
from tests.servers.stacksync import KnownUser, StackSyncProcess

OPEN_TO_ALL = {"GET /openapi.json"}
READING = ("GET", "OPTIONS")
SIGNED_IN = [call for call in RESOURCES if not call.startswith("OPTIONS")]


@pytest.fixture(scope="module")
def server(module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str) -> StackSyncProcess:
    # Hundreds of refused sign-ins are not to wait for one another.
    auth = {"failure_delay": "0s"}
    return module_fleet.start(module_database_dsn, module_amqp_url, auth=auth)


@pytest.fixture(scope="module")
def sign_ins(server: StackSyncProcess, folder: SharedFolder) -> SignIns:
    return SignIns(server, folder)


@pytest.fixture(scope="module")
def dead(sign_ins: SignIns) -> dict[tuple[str, str], AuthBase]:
    """Tokens of the owner's that hold no more, by way and by what has ended them."""
    ends = {"expired": sign_ins.expired, "revoked": sign_ins.revoked}
    return {(way, name): end(way) for way in WAYS for name, end in ends.items()}


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


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("call", RESOURCES)
def test_a_token_lets_each_role_do_the_same_or_only_read(
    folder: SharedFolder, sign_ins: SignIns, call: str, way: str
) -> None:
    row, method = RESOURCES[call], call.split()[0]
    told: dict[str, dict[str, int]] = {scope: {} for scope in SCOPES}
    for role in ROLES:
        user = whoever(folder, role, row.is_last)
        path, options = row.make(folder, user)
        # Who may only read comes first: if it did change something, the other would notice.
        for scope in SCOPES:
            auth = sign_ins.of(user, way, scope)
            with closing(folder.ask(user, method, path, **{**options, "auth": auth})) as answer:
                told[scope][role] = 200 if answer.ok else answer.status_code

    refused = dict.fromkeys(ROLES, 403)
    allowed = refused if row.takes_password else row.codes
    reading = allowed if method in READING else refused
    assert told == {"sync": allowed, "read-only": reading}


@pytest.mark.parametrize("call", SIGNED_IN)
def test_a_token_that_holds_no_more_lets_nobody_do_anything(
    folder: SharedFolder, dead: dict[tuple[str, str], AuthBase], call: str
) -> None:
    owner = folder.users["owner"]
    path, options = RESOURCES[call].make(folder, owner)

    for which, auth in dead.items():
        with closing(
            folder.ask(owner, call.split()[0], path, **{**options, "auth": auth})
        ) as answer:
            assert answer.status_code == 401, which


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
    streams = EventStreams(clock, settings, holdings_from(engine), holds=engine.sign_ins.holds)
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
