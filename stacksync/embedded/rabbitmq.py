"""The broker of the embedded default: start a private one, join one, or do without.

A private node is shared like the embedded database: the last process to leave
stops it, and one left behind by a killed service is taken over, with the
messages that wait in it.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

from attrs import field, frozen
from twisted.internet.interfaces import IListeningPort, IProtocolFactory

from stacksync.embedded.amqp_probe import speaks_amqp
from stacksync.embedded.keeper import Keeper, Patience
from stacksync.embedded.node import SETTINGS, Node, find_program
from stacksync.embedded.node_files import MANAGEMENT
from stacksync.embedded.ports import LOOPBACK
from stacksync.embedded.questions import Asking, Questions, known_questions, open_questions
from stacksync.embedded.run_as import user_for
from stacksync.embedded.threads import in_thread

_PLUGINS = ("rabbitmq_auth_backend_http", MANAGEMENT)
# Of the management API only that it closes connections is wanted.
_MANAGEMENT = {"management_agent.disable_metrics_collector": "true"}
# As etc/rabbitmq.conf has it: each channel has memory there, and a device needs a few.
_DEVICES = {"channel_max": "32"}


class Origin(Enum):
    """How a broker came about."""

    JOINED = "joined"
    PRIVATE = "private"


@frozen
class Found:
    """What :func:`find_or_start` would come to now, told without starting anything.

    :ivar origin: ``None``: there is none, and RabbitMQ is not installed.
    :ivar url: with our own login; empty: it does not run.
    :ivar management_url: its management API with our own login; empty: it has none.
    :ivar questions: what it asks us with; ``None``: it doesn't.
    """

    origin: Origin | None
    url: str = field(default="", repr=False)
    management_url: str = field(default="", repr=False)
    questions: Questions | None = None


class Broker:
    """A broker to use, until :meth:`stop`.

    :ivar url: where it is, as an AMQP URL with our own login; it does not change.
    :ivar questions: what it asks us with; ``None``: it doesn't.
    :ivar management_url: its management API with our own login; empty: it has none that
        we could use.
    """

    def __init__(
        self,
        url: str,
        keeper: Keeper | None = None,
        asking: Asking | None = None,
        management_url: str = "",
    ) -> None:
        self.url = url
        self.management_url = management_url
        self._keeper = keeper
        self._asking = asking

    @property
    def origin(self) -> Origin:
        return Origin.JOINED if self._keeper is None else Origin.PRIVATE

    @property
    def questions(self) -> Questions | None:
        return self._asking.questions if self._asking is not None else None

    def answer_with(self, reactor: Any, factory: IProtocolFactory) -> IListeningPort | None:
        """Begin to answer what a private node asks, before the first login to it.

        Every process that shares the node does.  Stop the port before :meth:`stop`.
        """
        return self._asking.listen(reactor, factory) if self._asking is not None else None

    async def stop(self) -> None:
        """Leave a private node, and stop it if no other process uses it."""
        if self._keeper is not None:
            await self._keeper.stop()
        if self._asking is not None:
            self._asking.close()


async def find_or_start(
    reactor: Any,
    home: Path,
    default: tuple[str, int] = ("127.0.0.1", 5672),
    patience: Patience | None = None,
) -> Broker | None:
    """The broker to use when none is configured.

    A private node comes first: it asks us whom it may let in, and to a strange
    one we could only say what it has to be told.

    :param home: the state directory, as :func:`stacksync.embedded.home.prepare` left it.
    :param default: host and port where a broker of the machine's own would be.
    :param patience: how long to wait for what; else the usual.
    :returns: a private node if RabbitMQ is installed; else the broker at the
        default address if one answers there; else ``None``.
    :raises ConfigurationError: the servers' user can't enter the state directory.
    :raises Unavailable: the private node did not start; the message has the
        end of its log.
    """
    program = await in_thread(reactor, 5, lambda _: find_program())
    if program is None:
        joined = await _joined(reactor, default)
        return Broker(joined) if joined is not None else None
    user = await in_thread(reactor, 30, lambda _: user_for(home))
    asking = await in_thread(reactor, 30, lambda deadline: open_questions(home, deadline))
    try:
        questions = asking.questions
        settings = SETTINGS | _MANAGEMENT | _DEVICES
        node = Node(home / "rabbitmq", program, user, settings, _PLUGINS, questions)
        keeper = Keeper(reactor, "RabbitMQ", home, node, patience or Patience())
        await keeper.start()
    except BaseException:
        asking.close()
        raise
    url, management_url = _urls(questions, node)
    return Broker(url, keeper, asking, management_url)


async def look(reactor: Any, home: Path, default: tuple[str, int] = ("127.0.0.1", 5672)) -> Found:
    """The broker that there is when none is configured, as it is; starts and makes nothing.

    :param home: the state directory, which need not exist.
    """
    program = await in_thread(reactor, 5, lambda _: find_program())
    if program is None:
        joined = await _joined(reactor, default)
        return Found(Origin.JOINED, joined) if joined is not None else Found(None)
    # By this path, without links, all processes know it.
    real = await in_thread(reactor, 5, lambda _: home.resolve())
    node = Node(real / "rabbitmq", program, None)
    questions = await in_thread(reactor, 5, lambda _: known_questions(real))
    if questions is None or not await in_thread(reactor, 5, lambda _: node.answers()):
        return Found(Origin.PRIVATE)
    return Found(Origin.PRIVATE, *_urls(questions, node), questions)


async def _joined(reactor: Any, default: tuple[str, int]) -> str | None:
    """The URL of the machine's own broker, if one answers."""
    host, port = default
    answers = await in_thread(reactor, 5, lambda _: speaks_amqp(host, port))
    return f"amqp://guest:guest@{host}:{port}/" if answers else None


def _urls(questions: Questions, node: Node) -> tuple[str, str]:
    """A private node's, of AMQP and of the management API, with our own login."""
    login = f"{questions.service_login}:{questions.service_password}@{LOOPBACK}"
    management = f"http://{login}:{node.management_port}" if node.management_port else ""
    return f"amqp://{login}:{node.port}/", management
