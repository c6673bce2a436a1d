"""The ways to sign in without a password, for people around a shared folder."""

from __future__ import annotations

import secrets
from contextlib import closing
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import requests
from requests.auth import AuthBase
from requests_oauthlib import OAuth1

from tests.integration.permission_stage import SharedFolder
from tests.servers.stacksync import KnownUser, StackSyncProcess

WAYS = ("bearer", "OAuth")
SCOPES = ("read-only", "sync")

INSERT = """
    INSERT INTO token (id, account_id, name, scope, device_id, secret_hash,
        consumer_key, oauth_key, oauth_secret, expires_at)
    VALUES (%(id)s, %(account)s, 'x', %(scope)s, %(device)s, %(hash)s,
        %(consumer)s, %(key)s, %(secret)s, now() + %(lasts)s * interval '1 s')
"""
CONSUMER = "INSERT INTO consumer (key, secret, name) VALUES (%s, %s, 'x')"

HOUR = 3600.0


class Bearer(AuthBase):
    """Signs in by a device's token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class SignIns:
    """Tokens of the people around a folder, made in the database: there are many."""

    def __init__(self, server: StackSyncProcess, folder: SharedFolder) -> None:
        self._dsn = server.database_url
        self._folder = folder
        self._consumer = (secrets.token_hex(8), secrets.token_hex(16))
        self._run(CONSUMER, self._consumer)
        self._known: dict[tuple[str, UUID, str], AuthBase] = {}

    def of(self, user: KnownUser, way: str, scope: str) -> AuthBase:
        """A token of somebody's."""
        key = (way, user.id, scope)
        if key not in self._known:
            self._known[key] = self._made(way, user, scope)[1]
        return self._known[key]

    def expired(self, way: str) -> AuthBase:
        """A token of the owner's whose time is over."""
        return self._made(way, self._folder.users["owner"], lasts=0.0)[1]

    def revoked(self, way: str) -> AuthBase:
        """A token of the owner's that was good until he revoked it."""
        owner = self._folder.users["owner"]
        token_id, signs = self._made(way, owner)
        assert self._folder.ask(owner, "GET", "/account", auth=signs).ok
        assert self._folder.ask(owner, "DELETE", f"/tokens/{token_id}").ok
        return signs

    def _made(
        self, way: str, user: KnownUser, scope: str = "sync", lasts: float = HOUR
    ) -> tuple[UUID, AuthBase]:
        told: dict[str, Any] = {"id": str(uuid4()), "account": str(user.id), "scope": scope}
        told |= dict.fromkeys(("device", "hash", "consumer", "key", "secret")) | {"lasts": lasts}
        if way == "bearer":
            secret = "stk_" + secrets.token_urlsafe(32)
            hashed = sha256(secret.encode()).digest()
            told |= {"device": self._folder.device_of(user), "hash": hashed}
            signs: AuthBase = Bearer(secret)
        else:
            key, secret = secrets.token_hex(8), secrets.token_hex(16)
            told |= {"consumer": self._consumer[0], "key": key, "secret": secret}
            signs = OAuth1(*self._consumer, key, secret)
        self._run(INSERT, told)
        return UUID(told["id"]), signs

    def _run(self, sql: str, arguments: Any) -> None:
        with closing(psycopg2.connect(self._dsn)) as connection, connection:
            connection.cursor().execute(sql, arguments)
