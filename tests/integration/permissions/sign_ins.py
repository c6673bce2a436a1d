"""The ways to sign in, for people around a shared folder."""

from __future__ import annotations

import secrets
from contextlib import closing
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import psycopg2
from oauthlib.oauth1 import Client

from tests.integration.permissions.keystone import KeystoneTokens
from tests.integration.permissions.stage import SharedFolder, SignIn, by_password
from tests.servers.stacksync import KnownUser, StackSyncProcess

TOKENS = ("bearer", "OAuth")
"""What holds only a part of its account's rights."""
WAYS = {
    "password": ("sync",),
    # Who may only read comes first: if it did change something, the other would notice.
    "bearer": ("read-only", "sync"),
    "OAuth": ("read-only", "sync"),
    "Keystone": ("sync",),
}
"""The ways, and what scopes each has."""

INSERT = """
    INSERT INTO token (id, account_id, name, scope, device_id, secret_hash,
        consumer_key, oauth_key, oauth_secret, expires_at)
    VALUES (%(id)s, %(account)s, 'x', %(scope)s, %(device)s, %(hash)s,
        %(consumer)s, %(key)s, %(secret)s, now() + %(lasts)s * interval '1 s')
"""
CONSUMER = "INSERT INTO consumer (key, secret, name) VALUES (%s, %s, 'x')"

HOUR = 3600.0


class SignIns:
    """Those of the people around a folder.

    Our own tokens are made in the database: there are many.
    """

    def __init__(
        self, server: StackSyncProcess, folder: SharedFolder, keystone: KeystoneTokens
    ) -> None:
        self._dsn = server.database_url
        self._folder = folder
        self._keystone = keystone
        self._consumer = (secrets.token_hex(8), secrets.token_hex(16))
        self._run(CONSUMER, self._consumer)
        self._known: dict[tuple[UUID, str, str], SignIn] = {}

    def of(self, user: KnownUser, way: str, scope: str) -> SignIn:
        """One of somebody's, the same each time."""
        key = (user.id, way, scope)
        if key not in self._known:
            self._known[key] = self._new(user, way, scope)
        return self._known[key]

    def forget(self, user: KnownUser) -> None:
        """All that somebody has may have ended."""
        for key in [key for key in self._known if key[0] == user.id]:
            del self._known[key]

    def expired(self, way: str) -> SignIn:
        """A token of the owner's whose time is over."""
        owner = self._folder.users["owner"]
        return (
            self._keystone.expired(owner)
            if way == "Keystone"
            else self._made(way, owner, lasts=0.0)[1]
        )

    def revoked(self, way: str) -> SignIn:
        """A token of the owner's that was good until he revoked it."""
        owner = self._folder.users["owner"]
        if way == "Keystone":
            return self._keystone.revoked(owner)
        token_id, signs = self._made(way, owner)
        assert self._folder.ask(owner, "GET", "/account", signs).ok
        assert self._folder.ask(owner, "DELETE", f"/tokens/{token_id}").ok
        return signs

    def _new(self, user: KnownUser, way: str, scope: str) -> SignIn:
        if way == "password":
            return by_password(user)
        return self._keystone.of(user) if way == "Keystone" else self._made(way, user, scope)[1]

    def _made(
        self, way: str, user: KnownUser, scope: str = "sync", lasts: float = HOUR
    ) -> tuple[UUID, SignIn]:
        told: dict[str, Any] = {"id": str(uuid4()), "account": str(user.id), "scope": scope}
        told |= dict.fromkeys(("device", "hash", "consumer", "key", "secret")) | {"lasts": lasts}
        if way == "bearer":
            secret = "stk_" + secrets.token_urlsafe(32)
            hashed = sha256(secret.encode()).digest()
            told |= {"device": self._folder.device_of(user), "hash": hashed}
            signs = SignIn(lambda method, url: {"Authorization": f"Bearer {secret}"})
        else:
            key, secret = secrets.token_hex(8), secrets.token_hex(16)
            told |= {"consumer": self._consumer[0], "key": key, "secret": secret}
            signer = Client(*self._consumer, key, secret)
            signs = SignIn(lambda method, url: signer.sign(url, method)[1])
        self._run(INSERT, told)
        return UUID(told["id"]), signs

    def _run(self, sql: str, arguments: Any) -> None:
        with closing(psycopg2.connect(self._dsn)) as connection, connection:
            connection.cursor().execute(sql, arguments)
