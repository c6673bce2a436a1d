"""The parts below the front-ends, put together: database, Keystone, store, engine, passwords.

For the service and for ``stacksync-admin``, which differ in what they put on
top.  No protocols here.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.logger import Logger

from stacksync.auth.bearer import BearerAuthenticator
from stacksync.auth.password_changes import PasswordChanges
from stacksync.auth.password_policy import PasswordPolicy
from stacksync.auth.passwords import PasswordHasher
from stacksync.config import Config
from stacksync.db import migrations
from stacksync.db.database import Database
from stacksync.db.session import in_turn
from stacksync.embedded import home
from stacksync.embedded.deadline import Deadline
from stacksync.embedded.postgres import EmbeddedPostgres
from stacksync.embedded.threads import in_thread
from stacksync.engine import Engine, engine_on
from stacksync.engine.jobs.disconnect import FindConnections
from stacksync.engine.sign_in.sign_ins import BrokerAnswers
from stacksync.errors import SchemaMismatch, Unavailable
from stacksync.interfaces import IBrokerConnections
from stacksync.provisioning import Provisioning
from stacksync.storage import IStore, store_for
from stacksync.storage.keystone import Identities, Keystone, keystone_for

log = Logger()

MIGRATION_TIMEOUT = 600.0
EMBEDDED = "embedded"

TURN = 60.0
"""Seconds that a command waits for others to have made or removed their users."""


class Core:
    """Database, store, engine and password hasher of one configuration.

    :ivar url: the database's libpq URL, once :meth:`open_database` is through.
    :ivar bearer: knows the tokens of devices.
    :ivar broker_connections: closes connections to the broker; ``None``: nobody can.
    :ivar keystone: the identity service, and ``identities`` its users; ``None``:
        there is none.
    """

    url: str
    database: Database
    store: IStore
    engine: Engine
    hasher: PasswordHasher
    passwords: PasswordChanges
    bearer: BearerAuthenticator
    provisioning: Provisioning
    broker_connections: IBrokerConnections | None = None
    keystone: Keystone | None = None
    identities: Identities | None = None

    def __init__(self, reactor: Any, config: Config, *, serves: bool = False) -> None:
        self._reactor = reactor
        self._serves = serves
        self._config = config
        self._embedded: EmbeddedPostgres | None = None
        self._started = False

    @property
    def is_embedded(self) -> bool:
        return self._config.database.url == EMBEDDED

    async def open_database(self) -> str:
        """Make the database reachable, starting the embedded one; its URL.

        :raises ConfigurationError: the embedded database can't be had here.
        :raises Unavailable: it did not start.
        """
        if self.is_embedded:
            directory = home.prepare(self._config.service.home)
            self._embedded = EmbeddedPostgres(self._reactor, directory)
            self.url = await self._embedded.start()
        else:
            self.url = self._config.database.url
        return self.url

    async def start(self) -> None:
        """Open the database, see to its schema, and start the engine on it.

        :raises ConfigurationError: see :meth:`open_database`; or the store
            can't be where the settings want it.
        :raises SchemaMismatch: the schema is not this program's; an embedded
            database's is migrated.
        :raises Unavailable: the embedded database did not start.
        """
        await self.open_database()
        settings = evolve(self._config.database, url=self.url)
        if self.is_embedded:
            await self._migrate()
        if self._config.keystone.url:
            self.keystone = keystone_for(self._reactor, self._config.keystone)
            self.keystone.start()
            self.identities = Identities(self.keystone)
        self.store = self._start_store()
        self.database = Database(self._reactor, settings)
        self.hasher = PasswordHasher(self._reactor, self._config.auth)
        self.engine = engine_on(
            self.database,
            self._reactor,
            self._config.service,
            self._config.limits,
            # The others stay free for those who only read.
            lanes=max(1, settings.pool_size // 2),
            store=self.store,
            content_threads=self._config.content.threads,
            upload_expire=self._config.uploads.expire,
            jobs=self._config.jobs,
            sharing=self._config.sharing,
            remove_identity=self._remove_identity if self.identities is not None else None,
            broker=BrokerAnswers(self._config.amqp.asks, self._config.amqp.auth_cache),
            tokens=self._config.tokens,
            audit_keep=self._config.retention.audit,
            oauth=self._config.oauth,
            find_connections=self._find_connections(),
        )
        self.bearer = BearerAuthenticator(
            self._reactor, self.engine.tokens, self._config.auth, self.engine.audit.note
        )
        self.engine.sign_ins.subscribe(self.bearer.forget)
        self.passwords = PasswordChanges(
            self.engine.accounts,
            self.engine.passwords,
            PasswordPolicy(self._config.auth.password_min),
            self.hasher if self._config.auth.passwords == "local" else None,
            self.identities,
        )
        self.provisioning = Provisioning(
            self.engine.accounts,
            self.engine.jobs,
            self.identities,
            self.passwords,
            self._in_turn,
        )
        self.database.start()
        self._started = True

    async def check_schema(self) -> None:
        """Make sure that the schema is this program's.

        :raises SchemaMismatch: it is older or newer; says what to do.
        :raises Unavailable: the database is away.
        """
        status = await self._in_thread(lambda: migrations.status(self.url))
        if not status.current:
            wanted = ", ".join(status.pending) or "new versions of its functions"
            raise SchemaMismatch(f"the database lacks {wanted}: run stacksync-admin db migrate")

    async def stop(self) -> None:
        """Close what :meth:`start` or :meth:`open_database` opened."""
        if self._started:
            self._started = False
            await self._stop_jobs()
            await self.engine.audit.stop()
            self.engine.stop()
            self.database.stop()
            await self.store.stop()
            if self.keystone is not None:
                await self.keystone.stop()
            await self.hasher.stop()
        if self._embedded is not None:
            embedded, self._embedded = self._embedded, None
            await embedded.stop()

    async def _stop_jobs(self) -> None:
        """Let others go on with the jobs, unless the database takes too long to be told."""
        stopping = Deferred.fromCoroutine(self.engine.jobs.stop())
        try:
            await stopping.addTimeout(self._config.service.stop_timeout, self._reactor)
        except DeferredTimeout:
            log.info("the database does not answer: others go on with the jobs after a while")

    def _find_connections(self) -> FindConnections | None:
        # A command does not know where a private broker is: that is for the service to do.
        if not self._serves or not self._config.amqp.asks:
            return None
        return lambda: self.broker_connections

    async def _remove_identity(self, user_id: str) -> bool:
        return await self.provisioning.remove_user(user_id)

    def _in_turn(self) -> AbstractAsyncContextManager[None]:
        if self.identities is None:
            return nullcontext()
        return in_turn(self._reactor, self.database.dsn, TURN)

    def _start_store(self) -> IStore:
        state = self._config.service.home
        # An existing home is what its owner made it: an operator's command may
        # run as another user.
        if not self._config.storage.directory.is_absolute() and not state.is_dir():
            home.prepare(state)
        store = store_for(self._reactor, self._config, self.keystone)
        store.start()
        return store

    async def _migrate(self) -> None:
        for line in await self._in_thread(lambda: migrations.migrate(self.url)):
            log.info("database: {line}", line=line)

    async def _in_thread(self, work: Any) -> Any:
        def cancellable(deadline: Deadline) -> Any:
            return work()

        try:
            return await in_thread(self._reactor, MIGRATION_TIMEOUT, cancellable)
        except TimeoutError:
            raise Unavailable("database", "the schema took too long") from None
