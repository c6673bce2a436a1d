"""Users by the hundred, as ``stacksync-admin user add`` makes them.

The command takes a second of a core, which only its own tests should pay.
"""

from __future__ import annotations

from contextlib import closing
from itertools import count
from uuid import uuid4

import argon2
import psycopg2

from tests.servers.stacksync import KnownUser, StackSyncProcess

ADD = """
    WITH added AS (
        INSERT INTO account (id, email, name, quota_limit, password_hash)
        VALUES (%(id)s, %(email)s, %(name)s, %(quota)s, %(hash)s)),
    home AS (
        INSERT INTO workspace (id, owner_id, container)
        VALUES (%(workspace)s, %(id)s, %(workspace)s))
    INSERT INTO membership (account_id, workspace_id, role, mount_name)
    VALUES (%(id)s, %(workspace)s, 'owner', 'StackSync')
"""

PASSWORD = "correct horse"
# As costly as the servers of tests make theirs: they would replace it by their own.
HASH = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)

_numbers = count(1)


class People:
    """The users of one server's database."""

    def __init__(self, server: StackSyncProcess) -> None:
        self._dsn = server.database_url

    def add(self, quota: int = 5 * 1024**3, email: str | None = None) -> KnownUser:
        """One more user, with a workspace.

        :param quota: bytes.
        :param email: unless one will do that no other user of this process has.
        """
        name = f"user{next(_numbers)}"
        user = KnownUser(uuid4(), email or f"{name}@example.org", PASSWORD)
        values = {
            "id": str(user.id),
            "email": user.email,
            "quota": quota,
            "name": name,
            "hash": HASH,
            "workspace": str(uuid4()),
        }
        with closing(psycopg2.connect(self._dsn)) as connection, connection:
            connection.cursor().execute(ADD, values)
        return user
