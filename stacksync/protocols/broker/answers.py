"""Answers questions of the broker's: ``user``, ``vhost``, ``resource``, ``topic``.

Whatever can't be told is denied: no such account, a part that we need away, a
question that is none.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.logger import Logger

from stacksync.engine.sign_in.broker_access import BrokerAccess, BrokerQuestion, ServiceNames
from stacksync.errors import Unavailable
from stacksync.interfaces import IBrokerLogins, IClientTopology
from stacksync.model import BrokerPermission, BrokerResource
from stacksync.protocols.broker.fields import Fields

log = Logger()

ALLOW, DENY = b"allow", b"deny"

ADMINISTRATOR = b"allow administrator"
"""With the tag that lets a user use the management API."""

PATIENCE = 12.0
"""Seconds that an answer may take; RabbitMQ waits for 15."""


@frozen
class ServiceLogin:
    """The service's own login, for a broker that knows no users of its own."""

    name: str
    password: str = field(repr=False)

    def is_right(self, name: str, password: str) -> bool:
        return hmac.compare_digest(self.name.encode(), name.encode()) and hmac.compare_digest(
            self.password.encode(), password.encode()
        )


@define(eq=False)
class Answers:
    """What is answered to whom.

    :param vhost: the virtual host that there is for devices; they may enter no other.
    :param service_login: may do everything; ``None``: the broker knows it without us.
    """

    _reactor: Any
    _access: BrokerAccess
    _logins: IBrokerLogins
    _topology: IClientTopology
    _names: ServiceNames
    _vhost: str
    _service_login: ServiceLogin | None = None
    _away: bool = field(init=False, default=False)

    async def to(self, kind: str, fields: Fields) -> bytes:
        """The answer to a question of this kind; never fails."""
        answer = self._ways().get(kind)
        if answer is None:
            return DENY
        asked = Deferred.fromCoroutine(answer(fields))
        try:
            told = await asked.addTimeout(PATIENCE, self._reactor)
        except Unavailable as error:
            self._denied_for_want_of(str(error))
        except DeferredTimeout:
            self._denied_for_want_of(f"no answer within {PATIENCE:g} s")
        except Exception:
            log.failure("broker: its question about {kind} could not be answered", kind=kind)
        else:
            self._away = False
            return told
        return DENY

    def _ways(self) -> dict[str, Callable[[Fields], Coroutine[Any, Any, bytes]]]:
        return {
            "user": self._user,
            "vhost": self._virtual_host,
            "resource": self._resource,
            "topic": self._topic,
        }

    async def _user(self, fields: Fields) -> bytes:
        login, password = fields.get("username", ""), fields.get("password", "")
        service = self._service_login
        if service is not None and service.is_right(login, password):
            return ADMINISTRATOR
        return word(await self._logins.allows(login, password))

    async def _virtual_host(self, fields: Fields) -> bytes:
        if self._is_service(fields):
            return ALLOW
        if fields.get("vhost") != self._vhost:
            return DENY
        return word(await self._access.is_known(fields.get("username", "")))

    async def _resource(self, fields: Fields) -> bytes:
        if self._is_service(fields):
            return ALLOW
        if fields.get("vhost") != self._vhost:
            return DENY
        try:
            question = BrokerQuestion(
                fields["username"],
                BrokerResource(fields["resource"]),
                fields["name"],
                BrokerPermission(fields["permission"]),
            )
        except (KeyError, ValueError):
            return DENY
        grant = await self._access.grant(question, self._names)
        if grant is None:
            return DENY
        if grant.exchange is not None:
            await self._topology.prepare(grant.exchange)
        return word(grant.bound is None or await self._topology.is_exclusive(grant.bound))

    async def _topic(self, fields: Fields) -> bytes:
        """There are no topic exchanges that clients may use."""
        return word(self._is_service(fields))

    def _is_service(self, fields: Fields) -> bool:
        """Whether somebody asks who has logged in as the service."""
        service = self._service_login
        return service is not None and fields.get("username") == service.name

    def _denied_for_want_of(self, problem: str) -> None:
        if not self._away:
            self._away = True
            log.warn(
                "broker: devices are denied what they ask for until this is over: {problem}",
                problem=problem,
            )


def word(allowed: bool) -> bytes:
    return ALLOW if allowed else DENY
