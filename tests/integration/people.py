"""Users by the hundred: ``stacksync-admin`` makes the first, the others are like it.

The command takes a third of a second, which only its own tests should pay often.
"""

from __future__ import annotations

from contextlib import closing
from itertools import count
from uuid import uuid4

import psycopg2

from tests.servers.stacksync import KnownUser, StackSyncProcess

LIKE_THE_FIRST = """
    WITH added AS (
        INSERT INTO account (id, email, name, quota_limit, password_hash)
        SELECT %(id)s, %(email)s, name, %(quota)s, password_hash FROM account WHERE id = %(first)s),
    home AS (
        INSERT INTO workspace (id, owner_id, container)
        VALUES (%(workspace)s, %(id)s, %(workspace)s))
    INSERT INTO membership (account_id, workspace_id, role, mount_name)
    VALUES (%(id)s, %(workspace)s, 'owner', 'StackSync')
"""

_numbers = count(1)


class People:
    """The users of one server's database."""

    def __init__(self, server: StackSyncProcess) -> None:
        self._dsn = server.database_url
        self._first = server.add_user(f"first{next(_numbers)}@example.org")

    def add(self, quota: int = 5 * 1024**3) -> KnownUser:
        """One more user, with a workspace.

        :param quota: bytes.
        """
        user = KnownUser(uuid4(), f"user{next(_numbers)}@example.org", self._first.password)
        values = {
            "id": str(user.id),
            "email": user.email,
            "quota": quota,
            "first": str(self._first.id),
            "workspace": str(uuid4()),
        }
        with closing(psycopg2.connect(self._dsn)) as connection, connection:
            connection.cursor().execute(LIKE_THE_FIRST, values)
        return user
