"""What the service asks of RabbitMQ's management API: close connections, set policies.

Each request is made once more and again where no answer came; what the broker
answers is final.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from zope.interface import implementer

from stacksync.errors import Unavailable
from stacksync.http_client import Answer, WebSession, retried
from stacksync.interfaces import IBrokerConnections

PART = "broker"
TIMEOUT = 10.0
NOT_FOUND = 404

PAGE = 500
"""Queues that one answer tells; RabbitMQ allows no more."""

TEXTS_AT_ONCE = 50
"""Texts that are sought in one request, whose address has to stay below 4 KiB or so."""

_HINTS = {
    401: "; is that the right user and password in amqp.management_url?",
    403: "; the user in amqp.management_url needs the tag administrator",
}


@implementer(IBrokerConnections)
class Management:
    """The management API of one broker.

    :param url: ``http(s)://user:password@host:port``.
    :param vhost: the virtual host that all of it is about.
    :param ca_file: who may have signed its certificate; an empty path: whom the machine trusts.
    :raises ConfigurationError: that file is of no use.
    """

    def __init__(self, reactor: Any, url: str, vhost: str, ca_file: Path = Path()) -> None:
        parts = urlsplit(url)
        login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        self._authorization = f"Basic {b64encode(login.encode()).decode()}"
        host = parts.netloc.rpartition("@")[2]
        self._base = f"{parts.scheme}://{host}{parts.path}/api"
        self._vhost = quote(vhost, safe="")
        self._reactor = reactor
        self._session = WebSession(
            reactor,
            PART,
            TIMEOUT,
            connections=2,
            ca_file=ca_file,
            ca_option="[amqp] management_ca_file",
        )

    async def close(self, login: str, reason: str) -> None:
        """See :meth:`stacksync.interfaces.IBrokerConnections.close`."""
        path = f"/connections/username/{quote(login, safe='')}"
        answer = await self._ask("DELETE", path, headers={"X-Reason": reason})
        if answer.status != NOT_FOUND:
            check(answer)

    async def remove_queues(self, texts: Sequence[str]) -> None:
        """See :meth:`stacksync.interfaces.IBrokerConnections.remove_queues`."""
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            some = [text.lower() for text in texts[start : start + TEXTS_AT_ONCE]]
            for name in await self._lasting_queues(some):
                answer = await self._ask("DELETE", f"/queues/{self._vhost}/{quote(name, safe='')}")
                if answer.status != NOT_FOUND:
                    check(answer)

    async def set_operator_policy(self, name: str, policy: dict[str, Any]) -> None:
        """Set what holds for all queues that a pattern fits, whatever who declares them says.

        :raises Unavailable: the broker does not do it now.
        """
        path = f"/operator-policies/{self._vhost}/{quote(name, safe='')}"
        check(await self._ask("PUT", path, json=policy))

    async def tags(self) -> frozenset[str]:
        """Those of our own user there, such as ``administrator``.

        :raises Unavailable: the API does not answer, or does not know us.
        """
        told = await self._read("/whoami", dict)
        tags = told.get("tags", [])
        # Before RabbitMQ 3.9 they were one text.
        return frozenset(tags.split(",") if isinstance(tags, str) else tags)

    async def plugins(self) -> frozenset[str] | None:
        """Those that are enabled on some node; ``None``: the API does not tell them.

        It does not with ``management_agent.disable_metrics_collector``.

        :raises Unavailable: the API does not answer, or refuses.
        """
        nodes = await self._read("/nodes", list)
        told = [each["enabled_plugins"] for each in nodes if "enabled_plugins" in each]
        return frozenset(name for some in told for name in some) if told else None

    async def stop(self) -> None:
        """Close what is kept open."""
        await self._session.close()

    async def _lasting_queues(self, texts: Sequence[str]) -> list[str]:
        """The names of the queues that have one of these texts in theirs, and are not exclusive."""
        found: list[str] = []
        page, pages = 1, 1
        while page <= pages:
            query = {
                "name": "|".join(map(re.escape, texts)),
                "use_regex": "true",
                "columns": "name,exclusive",
                "page": str(page),
                "page_size": str(PAGE),
            }
            answer = await self._ask("GET", f"/queues/{self._vhost}?{urlencode(query)}")
            check(answer)
            told = answer.json()
            found += [
                each["name"]
                for each in told["items"]
                if not each.get("exclusive") and any(text in each["name"].lower() for text in texts)
            ]
            page, pages = page + 1, told["page_count"]
        return found

    async def _read(self, path: str, kind: type[Any]) -> Any:
        answer = await self._ask("GET", path)
        check(answer)
        told = answer.json()
        if not isinstance(told, kind):
            raise Unavailable(PART, f"{answer.told}, but not as RabbitMQ does")
        return told

    async def _ask(self, method: str, path: str, **others: Any) -> Answer:
        headers = {"Authorization": self._authorization, **others.pop("headers", {})}
        return await retried(
            self._reactor,
            lambda: self._session.request(method, self._base + path, headers=headers, **others),
        )


def check(answer: Answer) -> None:
    """:raises Unavailable: it is no success."""
    if not answer.ok:
        raise Unavailable(PART, answer.told + _HINTS.get(answer.status, ""))
