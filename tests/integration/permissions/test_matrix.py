"""What everybody may do with a shared folder: every resource and every method, for every role.

The rows are those of the tree of resources and of the table of methods: a new
one that has no row here fails.  Who is no member is answered as if there were
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import product
from typing import Any

import pytest
from twisted.internet.task import Clock

from stacksync.config import HttpConfig
from stacksync.protocols.amqp.front_end import methods_of
from stacksync.protocols.http.events import EventStreams
from stacksync.protocols.http.events.holdings import holdings_from
from stacksync.protocols.http.resource import JSONResource
from stacksync.protocols.http.tree import make_tree
from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.permissions.keystone import KeystoneTokens
from tests.integration.permissions.methods import METHODS, expected_of, who_may
from tests.integration.permissions.resources import RESOURCES
from tests.integration.permissions.sign_ins import TOKENS, WAYS, SignIns
from tests.integration.permissions.stage import (
    MEMBERS,
    ROLES,
    SECRET,
    Asking,
    Codes,
    SharedFolder,
    SignIn,
)
from tests.integration.surroundings.fleet import Fleet
from tests.integration.surroundings.people import People
from tests.protocols.http.engines import AnybodyIsAnna, MadeUpEngine
from tests.servers.openstack.server import OpenStackServer
from tests.servers.run import TestRun
from tests.servers.stacksync import KnownUser, StackSyncProcess

OPEN_TO_ALL = {"GET /openapi.json"}
READING = ("GET", "OPTIONS")
SIGNED_IN = [call for call in RESOURCES if not call.startswith("OPTIONS")]
REFUSED: Codes = dict.fromkeys(ROLES, 403)

# Hundreds of refused sign-ins are not to wait for one another.
AT_ONCE = {"failure_delay": "0s"}


@pytest.fixture(scope="module")
def objects(test_run: TestRun) -> dict[str, str]:
    """Where both servers keep what files consist of."""
    return {"directory": str(test_run.new_directory("objects"))}


@pytest.fixture(scope="module")
def server(
    module_fleet: Fleet, module_database_dsn: str, module_amqp_url: str, objects: dict[str, str]
) -> StackSyncProcess:
    return module_fleet.start(module_database_dsn, module_amqp_url, auth=AT_ONCE, storage=objects)


@pytest.fixture(scope="module")
def keystone(
    module_fleet: Fleet,
    module_database_dsn: str,
    openstack: OpenStackServer,
    objects: dict[str, str],
) -> KeystoneTokens:
    """Tokens for another instance of the service, which leaves passwords to Keystone."""
    project = openstack.cloud.project()
    auth = {"passwords": "keystone", **AT_ONCE}
    instance = module_fleet.start(
        module_database_dsn, keystone=project.options, auth=auth, storage=objects
    )
    return KeystoneTokens(instance, openstack.cloud, project)


@pytest.fixture(scope="module")
def folder(server: StackSyncProcess, people: People) -> Iterator[SharedFolder]:
    with closing(SharedFolder(server, people)) as made:
        yield made


@pytest.fixture(scope="module")
def sign_ins(server: StackSyncProcess, folder: SharedFolder, keystone: KeystoneTokens) -> SignIns:
    return SignIns(server, folder, keystone)


@pytest.fixture(scope="module")
def dead(sign_ins: SignIns) -> dict[tuple[str, str], SignIn]:
    """Tokens of the owner's that hold no more, by way and by what has ended them."""
    ends = {"expired": sign_ins.expired, "revoked": sign_ins.revoked}
    return {(way, name): end(way) for way in (*TOKENS, "Keystone") for name, end in ends.items()}


@pytest.fixture(scope="module")
def line(server: StackSyncProcess, folder: SharedFolder) -> Iterator[AmqpDevice]:
    """A connection to the broker; messages alone say whom they are from."""
    with closing(AmqpDevice(server.amqp_url, folder.users["owner"])) as device:
        yield device


@pytest.mark.parametrize("call", RESOURCES)
def test_what_each_role_may_do_with_a_resource(
    folder: SharedFolder, sign_ins: SignIns, call: str
) -> None:
    row, method = RESOURCES[call], call.split()[0]
    asking = Asking(lambda user: row.make(folder, user), row.is_personal)
    told: dict[tuple[str, str, str], int] = {}
    for role, (way, scopes) in product(ROLES, WAYS.items()):
        newly = row.is_last and role != "owner" and expected(call, way, scopes[-1])[role] == 200
        user = folder.somebody(role) if newly else folder.users[role]
        for scope in scopes:
            path, options = asking.by(user)
            answer = folder.ask(user, method, path, sign_ins.of(user, way, scope), **options)
            told[way, scope, role] = 200 if answer.ok else answer.code
            assert role in MEMBERS or SECRET.encode() not in answer.body, (role, way)
            if answer.ok and method not in READING:
                asking.done()
            if answer.ok and row.is_last:
                sign_ins.forget(user)

    assert told == {
        (way, scope, role): code
        for way, scopes in WAYS.items()
        for scope in scopes
        for role, code in expected(call, way, scope).items()
    }


def expected(call: str, way: str, scope: str) -> Codes:
    """What each role is answered with that has signed in so."""
    row = RESOURCES[call]
    if scope == "read-only" and call.split()[0] not in READING:
        return REFUSED
    if row.takes_password and way != "password":
        return REFUSED
    if row.takes_account and way in TOKENS:
        return REFUSED
    return row.codes


@pytest.mark.parametrize("call", SIGNED_IN)
def test_a_token_that_holds_no_more_lets_nobody_do_anything(
    folder: SharedFolder, dead: dict[tuple[str, str], SignIn], call: str
) -> None:
    owner = folder.users["owner"]
    path, options = RESOURCES[call].make(folder, owner)

    for which, sign_in in dead.items():
        answer = folder.ask(owner, call.split()[0], path, sign_in, **options)
        assert answer.code == 401, which


@pytest.mark.parametrize("method", METHODS)
def test_what_each_role_may_do_with_a_method(
    folder: SharedFolder, line: AmqpDevice, method: str
) -> None:
    def call(user: KnownUser, name: str, asked: dict[str, Any]) -> Any:
        return line.call(name, **{"userId": str(user.id), **asked})

    assert who_may(folder, method, call) == expected_of(method)


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
    for segment, child in resource.children.items():
        yield from calls_below(child, f"{path}/{segment.decode()}")
    if resource.variable is not None:
        name, child = resource.variable
        yield from calls_below(child, f"{path}/{{{name}}}")


def test_every_method_has_a_row() -> None:
    assert methods_of(MadeUpEngine()).keys() == METHODS.keys()
