"""Puts the AMQP front-end together on an engine."""

from __future__ import annotations

from typing import Any

from stacksync.engine import Engine
from stacksync.protocols.amqp.broker import Broker, BrokerSettings
from stacksync.protocols.amqp.consumer import Handler
from stacksync.protocols.amqp.identity import BrokerIdentity, MessageIdentity
from stacksync.protocols.amqp.methods.accounts import AccountMethods
from stacksync.protocols.amqp.methods.changes import ChangeMethods
from stacksync.protocols.amqp.methods.commits import CommitMethods
from stacksync.protocols.amqp.methods.devices import DeviceMethods
from stacksync.protocols.amqp.methods.members import MemberMethods
from stacksync.protocols.amqp.methods.method import Methods
from stacksync.protocols.amqp.methods.proposals import ProposalMethods
from stacksync.protocols.amqp.methods.storage_place import NO_PLACE, StoragePlace
from stacksync.protocols.amqp.methods.versions import VersionMethods
from stacksync.protocols.amqp.methods.workspaces import WorkspaceMethods
from stacksync.protocols.amqp.notifications import Notifications
from stacksync.protocols.amqp.object_server import ObjectServer
from stacksync.protocols.amqp.publisher import Publisher
from stacksync.protocols.amqp.reply_queues import ReplyQueues, leave_direct
from stacksync.protocols.amqp.senders import sender_by_login, sender_by_message
from stacksync.protocols.amqp.wire.address import Address
from stacksync.protocols.amqp.wire.frames import Delivery
from stacksync.protocols.nesting import DEPTH
from stacksync.tls import ClientSecurity


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
    json_depth: int = DEPTH,
    security: ClientSecurity | None = None,
    *,
    is_asked: bool = False,
) -> tuple[Broker, Notifications]:
    """The front-end, not started, and the sink to subscribe with the engine's notifier.

    :param url: ``amqp://user:password@host:port/vhost``, or ``amqps://…``.
    :param identity: ``broker`` or ``message``; see :mod:`.identity`.
    :param place: the object store that devices reach themselves, if they do.
    :param json_depth: how deep lists and objects may stand in one another in a request.
    :param security: whom we trust and who we are, with ``amqps``.
    :param is_asked: the broker lets in whom we say, and to what we say.
    :raises ConfigurationError: the URL is none.
    """
    methods = methods_of(engine, place)
    if identity == "broker":
        known = BrokerIdentity(reactor, engine.accounts, is_asked=is_asked)
        engine.sign_ins.subscribe(known.forget)
        principal_of = known.principal
        sender_of = sender_by_login
    else:
        principal_of = MessageIdentity(engine.accounts).principal
        sender_of = sender_by_message

    reply_queues = ReplyQueues(reactor, engine.broker_access, settings)

    def handler_for(publisher: Publisher) -> Handler:
        queue = settings.dead_letter_queue
        server = ObjectServer(reactor, methods, principal_of, publisher, queue, json_depth)

        async def serve(delivery: Delivery) -> None:
            leave_direct(delivery)
            if is_asked:
                await reply_queues.keep_own(delivery, lambda: publisher.failed)
            await server.serve(delivery)

        return serve

    broker = Broker(reactor, Address.parse(url), settings, sender_of, handler_for, security)
    return broker, Notifications(lambda: broker.publisher, place)
