"""Puts the AMQP front-end together on an engine."""

from __future__ import annotations

from typing import Any

from stacksync.engine import Engine
from stacksync.protocols.amqp.accounts import AccountMethods
from stacksync.protocols.amqp.address import Address
from stacksync.protocols.amqp.broker import Broker, BrokerSettings
from stacksync.protocols.amqp.changes import ChangeMethods
from stacksync.protocols.amqp.commits import CommitMethods
from stacksync.protocols.amqp.consumer import Handler
from stacksync.protocols.amqp.devices import DeviceMethods
from stacksync.protocols.amqp.identity import BrokerIdentity, MessageIdentity
from stacksync.protocols.amqp.members import MemberMethods
from stacksync.protocols.amqp.method import Methods
from stacksync.protocols.amqp.notifications import Notifications
from stacksync.protocols.amqp.object_server import ObjectServer
from stacksync.protocols.amqp.proposals import ProposalMethods
from stacksync.protocols.amqp.publisher import Publisher
from stacksync.protocols.amqp.storage_place import NO_PLACE, StoragePlace
from stacksync.protocols.amqp.versions import VersionMethods
from stacksync.protocols.amqp.workspaces import WorkspaceMethods


def methods_of(engine: Engine, place: StoragePlace = NO_PLACE) -> Methods:
    """All methods of ``ISyncService``, by name.

    :param place: the object store, as answers tell it.
    """
    return {
        **AccountMethods(engine.accounts, place).methods(),
        **ChangeMethods(engine.changes).methods(),
        **CommitMethods(engine.commits).methods(),
        **DeviceMethods(engine.devices).methods(),
        **MemberMethods(engine.members).methods(),
        **ProposalMethods(engine.proposals, place).methods(),
        **VersionMethods(engine.versions, engine.files).methods(),
        **WorkspaceMethods(engine.workspaces, place).methods(),
    }


def make_broker(
    reactor: Any,
    engine: Engine,
    url: str,
    identity: str,
    settings: BrokerSettings,
    place: StoragePlace = NO_PLACE,
) -> tuple[Broker, Notifications]:
    """The front-end, not started, and the sink to subscribe with the engine's notifier.

    :param url: ``amqp://user:password@host:port/vhost``.
    :param identity: ``broker`` or ``message``; see :mod:`.identity`.
    :param place: the object store that devices reach themselves, if they do.
    :raises ConfigurationError: the URL is none.
    """
    methods = methods_of(engine, place)
    if identity == "broker":
        principal_of = BrokerIdentity(reactor, engine.accounts).principal
    else:
        principal_of = MessageIdentity(engine.accounts).principal

    def handler_for(publisher: Publisher) -> Handler:
        queue = settings.dead_letter_queue
        return ObjectServer(reactor, methods, principal_of, publisher, queue).serve

    broker = Broker(reactor, Address.parse(url), settings, handler_for)
    return broker, Notifications(lambda: broker.publisher, place)
