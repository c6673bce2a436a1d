"""An HTTP answer that has arrived as a whole."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from attrs import field, frozen

from stacksync.http_client.failures import NoAnswer

OK = range(200, 300)


@frozen
class Answer:
    """An answer of any status.

    Its repr shows neither headers nor body, for both may hold tokens.

    :ivar part: who answered, for error messages: ``keystone``, ``storage``.
    :ivar request: what was asked, for error messages: ``GET https://host/path``.
    """

    part: str
    request: str
    status: int
    _headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether it is a success (2xx)."""
        return self.status in OK

    @property
    def told(self) -> str:
        """For an error message: ``GET https://host/path answered 503 Service Unavailable``."""
        return f"{self.request} answered {spelled(self.status)}"

    def header(self, name: str) -> str | None:
        """A header's last value."""
        return self._headers.get(name.lower())

    def json(self) -> Any:
        """The body, decoded.

        :raises NoAnswer: it is no JSON: somebody else answers there.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise NoAnswer(self.part, f"{self.told}, but not with JSON") from None


def spelled(status: int) -> str:
    """``404 Not Found``."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
