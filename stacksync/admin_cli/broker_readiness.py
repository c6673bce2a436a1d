"""Whether there is a broker that lets the service in, and a management API for it.

For ``stacksync-admin check``: starts nothing, and changes nothing at the broker.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from stacksync.admin_cli.findings import Findings
from stacksync.admin_cli.question_readiness import (
    QuestionsHere,
    QuestionTrial,
    is_answering,
    place_of,
)
from stacksync.config import Config
from stacksync.embedded import rabbitmq
from stacksync.embedded.ports import LOOPBACK
from stacksync.engine.audit import Audit
from stacksync.errors import ConfigurationError, Unavailable
from stacksync.protocols.amqp.login_trial import Trial, Verdict, try_login
from stacksync.protocols.amqp.wire.address import Address
from stacksync.rabbitmq import Management
from stacksync.tls import ClientSecurity

AUTO, OFF = "auto", "off"
ADMINISTRATOR = "administrator"
BACKEND = "rabbitmq_auth_backend_http"


@frozen
class Place:
    """A broker to look at.

    :ivar is_private: it is the service's own, which knows its users from the service alone.
    :ivar asks: where it asks us whom it may let in; ``None``: nowhere.
    """

    url: str = field(repr=False)
    management_url: str = field(repr=False)
    is_private: bool = False
    asks: QuestionsHere | None = None


async def look_at_broker(reactor: Any, config: Config, audit: Audit) -> Findings:
    """Look at everything that can be looked at; never raises for what it finds.

    :param audit: where the service notes whom it has refused.
    """
    found = Findings()
    try:
        place = await _place(reactor, config, found)
        if place is not None:
            await _Look(reactor, config, audit, place, found).at_all()
    except (Unavailable, ConfigurationError) as error:
        found.problems.append(str(error))
    return found


async def _place(reactor: Any, config: Config, found: Findings) -> Place | None:
    """The broker that the settings mean; if there is none now, why."""
    amqp = config.amqp
    if amqp.url == OFF:
        found.notes.append("broker: none is wanted ([amqp] url = off)")
        return None
    asks = place_of(amqp.auth_listen) if amqp.auth_listen != OFF else None
    if amqp.url != AUTO:
        return Place(amqp.url, amqp.management_url, asks=asks)
    standing = await rabbitmq.look(reactor, config.service.home)
    if standing.origin is None:
        found.notes.append(
            "broker: RabbitMQ is not installed, so the service does without ([amqp] url = auto)"
        )
        return None
    if standing.origin is rabbitmq.Origin.JOINED:
        return Place(standing.url, amqp.management_url, asks=asks)
    if not standing.url or standing.questions is None:
        found.notes.append(
            "broker: RabbitMQ is installed; the service starts a private one, which does not run"
            " now"
        )
        return None
    here = QuestionsHere("the private broker's own port", (LOOPBACK, standing.questions.port))
    if not await is_answering(reactor, here):
        found.unknown.append(
            "broker: a private one runs, but not the service, without which it lets nobody in:"
            " check again when the service is up"
        )
        return None
    return Place(standing.url, standing.management_url, is_private=True, asks=here)


class _Look:
    """Looks at one broker."""

    def __init__(
        self, reactor: Any, config: Config, audit: Audit, place: Place, found: Findings
    ) -> None:
        self._reactor = reactor
        self._amqp = config.amqp
        self._audit = audit
        self._place = place
        self._found = found
        self._address = Address.parse(place.url)
        self._security: ClientSecurity | None = None

    async def at_all(self) -> None:
        reactor, found, asks = self._reactor, self._found, self._place.asks
        there, where = f"broker: {self._address}", self._place.management_url.rpartition("@")[2]
        answers = await found.told_by(reactor, there, self._our_login())
        plugins = await found.told_by(
            reactor, f"broker: the management API at {where}", self._management(where)
        )
        if answers and asks is not None:
            await found.told_by(reactor, there, self._questions(asks, plugins))

    async def _our_login(self) -> bool:
        """Whether there is a broker at all, whatever it says to our login."""
        amqp, address = self._amqp, self._address
        if address.is_secured:
            self._security = ClientSecurity("amqp", amqp.ca_file, amqp.certificate, amqp.key)
        try:
            trial = await try_login(self._reactor, address, self._security, uses=True)
        except Unavailable as error:
            asked = "" if "[amqp]" in error.problem else ". Is [amqp] url right?"
            raise Unavailable("broker", error.problem.rstrip(".") + asked) from None
        if trial.verdict is Verdict.LET_IN:
            private = "the private one at " if self._place.is_private else ""
            proven = " has proven by TLS who it is, and" if address.is_secured else ""
            self._found.notes.append(
                f"broker: {private}{address}{proven} lets {address.user} in, with the permissions"
                " that it needs"
            )
        else:
            self._found.problems.append(f"broker: {address} {self._refusal(trial)}")
        return True

    def _refusal(self, trial: Trial) -> str:
        user, vhost = self._address.user, self._address.vhost
        permit = f"rabbitmqctl set_permissions -p {vhost} {user} '.*' '.*' '.*'"
        match trial.verdict:
            case Verdict.VHOST_REFUSED:
                return (
                    f"knows {user}, but does not let it into the virtual host {vhost}"
                    f" ({trial.told}): rabbitmqctl add_vhost {vhost}, if there is none; {permit}"
                )
            case Verdict.MAY_NOTHING:
                return f"lets {user} in, but not do its work ({trial.told}): {permit}"
        if self._place.is_private:
            return f"refuses {user}, the service's own login: start the service anew"
        away = ""
        if user == "guest":
            away = ". RabbitMQ lets guest in from its own machine only"
        return (
            f"does not let {user} in with the password of [amqp] url: rabbitmqctl"
            f" change_password {user}; if there is no such user: rabbitmqctl add_user {user};"
            f" {permit}{away}"
        )

    async def _management(self, where: str) -> frozenset[str] | None:
        """Look at the management API; the plugins, if they are told."""
        url = self._place.management_url
        if not url:
            if self._place.asks is not None:
                self._found.problems.append(
                    "broker: [amqp] management_url is empty, so devices that are let in no more"
                    " stay connected: rabbitmq-plugins enable rabbitmq_management, and name it"
                )
            return None
        management = Management(
            self._reactor, url, self._address.vhost, self._amqp.management_ca_file
        )
        try:
            tags = await management.tags()
            if ADMINISTRATOR not in tags:
                self._found.problems.append(
                    f"broker: the user of [amqp] management_url at {where} is no administrator:"
                    " rabbitmqctl set_user_tags USER administrator"
                )
                return None
            plugins = await management.plugins()
        finally:
            await management.stop()
        self._found.notes.append(f"broker: the management API at {where} takes us as administrator")
        return plugins

    async def _questions(self, asks: QuestionsHere, plugins: frozenset[str] | None) -> None:
        """Look whether the broker asks us, and nobody gets in past us."""
        if plugins is not None and BACKEND not in plugins:
            self._found.problems.append(
                f"broker: RabbitMQ can't ask, for {BACKEND} is not enabled:"
                f" rabbitmq-plugins enable {BACKEND}"
            )
        trial = QuestionTrial(
            self._reactor, self._address, self._security, asks, self._audit, self._found
        )
        await trial.guest()
        await trial.stranger()
