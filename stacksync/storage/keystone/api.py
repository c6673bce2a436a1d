"""Keystone's HTTP API, version 3: one request, tried again where that may help.

https://docs.openstack.org/api-ref/identity/v3/
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from stacksync.config.openstack_options import KeystoneConfig
from stacksync.http_client import Answer, Busy, Retries, WebSession, retried, seconds_of
from stacksync.storage.keystone.failures import CA_OPTION, PART

TOO_MANY, SERVER_ERROR = 429, 500


class Api:
    """Requests to one Keystone.

    Everything that is asked may be asked twice: a user who was made by a try
    whose answer was lost is found by the next one.

    :param reactor: an ``IReactorTCP``, ``IReactorTime`` and the like.
    :raises ConfigurationError: the file with certificates is not right.
    """

    def __init__(self, reactor: Any, config: KeystoneConfig, retries: Retries) -> None:
        self._reactor = reactor
        self._url = config.url
        self._retries = retries
        self._session = WebSession(
            reactor, PART, config.timeout, ca_file=config.ca_file, ca_option=CA_OPTION
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        subject: str | None = None,
        query: dict[str, str] | None = None,
        json: Any = None,
    ) -> Answer:
        """Keystone's answer, if it is not that Keystone is in trouble.

        :param path: what follows ``/v3``, quoted.
        :param token: whose rights count (``X-Auth-Token``).
        :param subject: the token that it is about (``X-Subject-Token``).
        :raises Unavailable: no answer, or 5xx or 429, at the last try as well.
        """
        url = self._url + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["X-Auth-Token"] = token
        if subject is not None:
            headers["X-Subject-Token"] = subject

        async def once() -> Answer:
            answer = await self._session.request(method, url, headers=headers, json=json)
            if answer.status >= SERVER_ERROR or answer.status == TOO_MANY:
                raise Busy(PART, answer.told, seconds_of(answer.header("Retry-After")))
            return answer

        return await retried(self._reactor, once, self._retries)

    async def close(self) -> None:
        await self._session.close()


def reason(answer: Answer) -> str:
    """What Keystone says is wrong, in its own words; empty if it says nothing."""
    try:
        document: Any = answer.json()
        return str(document["error"]["message"])
    except Exception:
        return ""
