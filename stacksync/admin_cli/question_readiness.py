"""Whether a broker asks the service whom it may let in, found out by logins that nobody has.

The service notes whom it has refused in the audit, where such a login is found
again if the broker has asked.  Knows nothing of how a broker is set up.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from attrs import define, evolve, frozen
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

from stacksync.admin_cli.findings import Findings
from stacksync.db.audit import AuditFilter
from stacksync.engine.audit import FLUSH_INTERVAL, Audit
from stacksync.protocols.amqp.login_trial import Verdict, try_login
from stacksync.protocols.amqp.wire.address import Address
from stacksync.tls import ClientSecurity

NOTED = 5 * FLUSH_INTERVAL
"""Seconds after which a refusal is in the audit for sure."""

PAUSE = 0.1
CONNECT = 3.0

_ENDPOINT = re.compile(r"(?:tcp6?|ssl):(?:port=)?([0-9]+)(?::|$)")
_INTERFACE = re.compile(r":interface=((?:\\.|[^:\\])+)")
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


@frozen
class QuestionsHere:
    """Where an instance on this machine answers the broker.

    :ivar shown: the place as the operator knows it.
    :ivar address: host and port; ``None``: that can't be told.
    """

    shown: str
    address: tuple[str, int] | None


def place_of(endpoint: str) -> QuestionsHere:
    """Where one gets to what listens on a Twisted server endpoint."""
    port, interface = _ENDPOINT.match(endpoint), _INTERFACE.search(endpoint)
    if port is None:
        return QuestionsHere(f"[amqp] auth_listen ({endpoint})", None)
    host = re.sub(r"\\(.)", r"\1", interface[1]) if interface is not None else ""
    host = _EVERYWHERE.get(host, host)
    shown = f"[{host}]" if ":" in host else host
    return QuestionsHere(f"{shown}:{port[1]} ([amqp] auth_listen)", (host, int(port[1])))


async def is_answering(reactor: Any, place: QuestionsHere) -> bool:
    """Whether anybody listens there."""
    if place.address is None:
        return False
    factory = Factory.forProtocol(Protocol)
    factory.noisy = False
    try:
        endpoint = HostnameEndpoint(reactor, *place.address, timeout=CONNECT)
        connected: Any = await endpoint.connect(factory)
    except (ConnectError, OSError):
        return False
    connected.transport.loseConnection()
    return True


@define
class QuestionTrial:
    """Tries logins at a broker, and says what comes of them."""

    _reactor: Any
    _address: Address
    _security: ClientSecurity | None
    _place: QuestionsHere
    _audit: Audit
    _found: Findings

    async def guest(self) -> None:
        """See that the user that every RabbitMQ begins with is not there.

        :raises Unavailable: the broker does not answer.
        """
        if await self._is_refused("guest", "guest"):
            self._found.notes.append(f"broker: {self._address} does not let guest in from here")
        else:
            self._found.problems.append(
                f"broker: {self._address} lets guest in from here, with the password that everybody"
                " knows, so whoever is on this machine gets past the service:"
                " rabbitmqctl delete_user guest"
            )

    async def stranger(self) -> None:
        """See that a login that nobody has is refused, and by the service.

        :raises Unavailable: the broker does not answer, or the database.
        """
        login = f"check-{secrets.token_hex(8)}@stacksync-admin.invalid"
        if not await self._is_refused(login, f"stk_{secrets.token_urlsafe(32)}"):
            self._found.problems.append(
                f"broker: {self._address} has let in {login}, whom nobody knows: auth_backends of"
                " rabbitmq.conf has to be as in etc/rabbitmq.conf"
            )
        elif await self._is_noted(login):
            self._found.notes.append(
                "broker: asks the service, which has refused a login that nobody has"
            )
        elif not await is_answering(self._reactor, self._place):
            self._found.unknown.append(
                "broker: whether RabbitMQ asks the service: nothing listens at"
                f" {self._place.shown}, so check again when the service is up"
            )
        else:
            self._found.problems.append(
                f"broker: {self._address} has refused a login without asking the service: in"
                " rabbitmq.conf auth_backends has to have http, and each auth_http path to lead to"
                f" {self._place.shown} and to end in ?secret= and what amqp.auth_secret is"
                " (etc/rabbitmq.conf); the logs of RabbitMQ and of the service say more"
            )

    async def _is_refused(self, user: str, password: str) -> bool:
        address = evolve(self._address, user=user, password=password)
        trial = await try_login(self._reactor, address, self._security)
        return trial.verdict is Verdict.LOGIN_REFUSED

    async def _is_noted(self, login: str) -> bool:
        """Whether the service tells in the audit that it has refused this login."""
        wanted = AuditFilter(email=login)
        end = self._reactor.seconds() + NOTED
        while not await self._audit.latest(wanted, 1):
            if self._reactor.seconds() > end:
                return False
            await deferLater(self._reactor, PAUSE)
        return True
