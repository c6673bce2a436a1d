"""A connection to a server's HTTP that is kept, for stories that ask by the thousand.

``requests`` takes longer over a request than the server does over its answer.
"""

from __future__ import annotations

import json
import select
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from attrs import frozen

TIMEOUT = 60.0
ENDLESS = "text/event-stream"


@frozen
class Reply:
    """An answer; of one that has no end, what came first."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return self.code < 400

    def json(self) -> Any:
        return json.loads(self.body)


class KeptConnection:
    """Asks one after another.

    :param url: of the server, without a path.
    """

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self._connection = HTTPConnection(str(where.hostname), where.port, timeout=TIMEOUT)

    def close(self) -> None:
        self._connection.close()

    def ask(
        self, method: str, path: str, headers: dict[str, str], data: bytes = b"", told: Any = None
    ) -> Reply:
        """The answer to a request.

        :param told: sent as JSON, in place of ``data``.
        """
        if told is not None:
            headers = {**headers, "Content-Type": "application/json"}
            data = json.dumps(told).encode()
        self._hang_up_if_ended()
        self._connection.request(method, path, data or None, headers)
        answer = self._connection.getresponse()
        named = dict(answer.getheaders())
        if named.get("Content-Type", "").startswith(ENDLESS):
            body = answer.read1()
            self._connection.close()
        else:
            body = answer.read()
        return Reply(answer.status, named, body)

    def _hang_up_if_ended(self) -> None:
        """Connect anew where the server has ended the connection, for nobody had asked for long."""
        connected = self._connection.sock
        if connected is not None and select.select([connected], [], [], 0)[0]:
            self._connection.close()


def with_query(path: str, params: dict[str, Any] | None) -> str:
    return f"{path}?{urlencode(params)}" if params else path
