"""The front-end on a real engine, database and port; and on an engine that a test makes up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
import pytest_twisted
from attrs import define, evolve
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.task import Clock

from stacksync.auth.bearer import BearerAuthenticator
from stacksync.auth.local import LocalPasswords
from stacksync.auth.password_changes import PasswordChanges
from stacksync.auth.password_policy import PasswordPolicy
from stacksync.auth.passwords import PasswordHasher
from stacksync.auth.sign_in import PasswordAuthenticator
from stacksync.config import AuthConfig, DatabaseConfig, HttpConfig, LimitsConfig, ServiceConfig
from stacksync.db.database import Database
from stacksync.engine import Engine, engine_on
from stacksync.model import Account, DeviceDescription, Principal, SignIn, Workspace
from stacksync.protocols.http.sign_in import SignInWays
from stacksync.protocols.http.site import ApiSite, make_site
from stacksync.storage import DiskStore
from tests.protocols.http.client import Client
from tests.protocols.http.engines import AnybodyIsAnna
from tests.storage.conftest import store

__all__ = ["store"]

AUTH = AuthConfig(argon2_time_cost=1, argon2_memory=64 * 1024, failure_delay=0.02)
PASSWORD = "correct horse"

numbers = count(1)


@define
class User:
    """Somebody with an account, a workspace and a device."""

    account: Account
    principal: Principal
    workspace: Workspace
    device_id: UUID
    client: Client

    @property
    def commits(self) -> str:
        return f"/api/workspaces/{self.workspace.id}/commits"

    @property
    def changes(self) -> str:
        return f"/api/workspaces/{self.workspace.id}/changes"

    async def commit(self, *items: dict[str, Any], **options: Any) -> Any:
        """Commit items; the answer's body."""
        answer = await self.client.post(self.commits, self.batch(*items), **options)
        assert answer.code == 200, answer.body
        return answer.json

    async def upload(self, name: str, content: bytes = b"", parent: int = 0) -> Any:
        """Make a file; its metadata."""
        query = urlencode({"name": name, "parent": parent})
        answer = await self.client.send("POST", f"/api/file?{query}", content)
        assert answer.code == 201, answer.body
        return answer.json

    async def replace(self, file: dict[str, Any], content: bytes) -> Any:
        """Give a file new content; its metadata."""
        answer = await self.client.send("PUT", f"/api/file/{file['id']}/data", content)
        assert answer.code == 200, answer.body
        return answer.json

    async def folder(self, name: str, parent: int = 0) -> Any:
        """Make a folder; its metadata."""
        answer = await self.client.post("/api/folder", {"name": name, "parent": parent})
        assert answer.code == 201, answer.body
        return answer.json

    async def delete(self, item: dict[str, Any]) -> Any:
        """Put an item into the trash; its metadata."""
        answer = await self.client.request("DELETE", path_of(item))
        assert answer.code == 200, answer.body
        return answer.json

    def batch(self, *items: dict[str, Any]) -> dict[str, Any]:
        return {"device_id": str(self.device_id), "items": list(items)}


def path_of(item: dict[str, Any]) -> str:
    """Where an item is."""
    return f"/api/{'folder' if item['is_folder'] else 'file'}/{item['id']}"


@define
class Server:
    """A running front-end, and the engine below it."""

    engine: Engine
    site: ApiSite
    port: int
    hasher: PasswordHasher

    async def user(self) -> User:
        """Somebody new, who has signed in."""
        email = f"user-{next(numbers)}@example.org"
        account = await self.engine.accounts.create(
            email,
            name="Änne",
            quota_limit=10**9,
            password_hash=await self.hasher.hash(PASSWORD),
        )
        principal = Principal(account.id, SignIn.PASSWORD)
        device = await self.engine.devices.register(principal, DeviceDescription(name="laptop"))
        (workspace,) = await self.engine.workspaces.list(principal)
        client = Client(self.port, (email, PASSWORD))
        return User(account, principal, workspace, device.id, client)


StartSite = Callable[..., Awaitable[tuple[ApiSite, Client]]]


@pytest_twisted.async_yield_fixture
async def listening() -> AsyncIterator[Callable[[ApiSite], Awaitable[int]]]:
    """Puts sites on free ports and takes them down after the test."""
    running = []

    async def listen(site: ApiSite) -> int:
        port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(site)
        running.append((site, port))
        return port.getHost().port

    yield listen
    for site, port in running:
        await port.stopListening()
        drained = Deferred.fromCoroutine(site.drain(within=0.1))
        if isinstance(site.reactor, Clock):
            site.reactor.advance(0.1)
        await drained


@pytest_twisted.async_yield_fixture
async def engine(module_database_dsn: str, store: DiskStore) -> AsyncIterator[Engine]:
    """A real engine that hears of no others; its database is shared by the tests of a module."""
    database = Database(reactor, DatabaseConfig(url=module_database_dsn, pool_size=2))
    database.start()
    made = engine_on(database, reactor, ServiceConfig(), LimitsConfig(), lanes=2, store=store)
    made.content.start()
    yield made
    made.content.stop()
    made.notifier.stop()
    database.stop()


@pytest.fixture
def settings() -> HttpConfig:
    """The front-end's settings; a module overrides them for its tests."""
    return HttpConfig()


@pytest_twisted.async_yield_fixture
async def server(
    engine: Engine, settings: HttpConfig, listening: Callable[[ApiSite], Awaitable[int]]
) -> AsyncIterator[Server]:
    """The front-end on the real engine."""
    hasher = PasswordHasher(reactor, AUTH)
    authenticator = PasswordAuthenticator(reactor, LocalPasswords(engine.passwords, hasher), AUTH)
    bearer = BearerAuthenticator(reactor, engine.tokens, AUTH)
    for each in (authenticator, bearer):
        engine.sign_ins.subscribe(each.forget)
    ways = SignInWays(bearer=bearer)
    passwords = PasswordChanges(engine.accounts, engine.passwords, PasswordPolicy(8), hasher)
    site = make_site(
        reactor, engine, authenticator, [], settings, sign_ins=ways, passwords=passwords
    )
    yield Server(engine, site, await listening(site), hasher)
    await hasher.stop()


@pytest_twisted.async_fixture
async def anna(server: Server) -> User:
    return await server.user()


@pytest_twisted.async_fixture
async def bert(server: Server) -> User:
    return await server.user()


@pytest.fixture
def start_site(listening: Callable[[ApiSite], Awaitable[int]], settings: HttpConfig) -> StartSite:
    """Starts the front-end on an engine that the test made up; everybody is signed in as Anna.

    Takes the engine, the checks of its health, the limits, a clock for the time to run as the test
    lets it, and what differs in the settings.
    """

    async def start(
        made_up: Any,
        *health: Any,
        limits: LimitsConfig | None = None,
        clock: Clock | None = None,
        **differing: Any,
    ) -> tuple[ApiSite, Client]:
        settled = evolve(settings, **differing)
        time: Any = reactor if clock is None else clock
        site = make_site(time, made_up, AnybodyIsAnna(), health, settled, limits=limits)
        return site, Client(await listening(site), ("anna@example.org", "x"))

    return start
