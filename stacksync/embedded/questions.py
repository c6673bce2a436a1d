"""How a private broker asks this service whom it may let in: the port, and what is secret about it.

The broker has no users of its own: ``rabbitmq_auth_backend_http`` asks on a
port of the loopback interface.  Every process that shares the broker listens
there (SO_REUSEPORT), so whichever is there answers.  What has to be the same
for all of them is kept in the state directory, readable by its owner only.
What the answers are is none of this module's business.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, field, frozen, validators
from twisted.internet.interfaces import IListeningPort, IProtocolFactory

from stacksync.embedded.claim import Claim
from stacksync.embedded.deadline import Deadline
from stacksync.embedded.ports import LOOPBACK, choose
from stacksync.embedded.private_files import write_private
from stacksync.errors import Unavailable

SERVICE_LOGIN = "stacksync-service"
"""Nobody's account can be called so: it is neither an id nor an e-mail."""

_TOPICS = ("user", "vhost", "resource", "topic")
_KEPT = "rabbitmq.questions"
_WAITING = 128
_TRIES = 10
_TEXT = validators.matches_re(r"[\w-]{43}")


@frozen
class Questions:
    """Where one broker asks, and by what either side knows the other.

    :ivar port: of the loopback interface.
    :ivar secret: what the broker shows with each question.
    :ivar service_login: as whom the service itself logs in to the broker.
    """

    port: int = field(validator=validators.instance_of(int))
    secret: str = field(repr=False, validator=_TEXT)
    service_password: str = field(repr=False, validator=_TEXT)
    service_login: str = SERVICE_LOGIN

    def settings(self) -> Mapping[str, str]:
        """The options of ``rabbitmq.conf`` that make the broker ask here, and nobody else."""
        base = f"http://{LOOPBACK}:{self.port}/broker"
        asked = {
            f"auth_http.{topic}_path": f"{base}/{topic}?secret={self.secret}" for topic in _TOPICS
        }
        return {"auth_backends.1": "http", "auth_http.http_method": "post", **asked}

    def reserve(self) -> socket.socket:
        """A socket bound to the port, which keeps other users of this machine from taking it.

        Nothing reaches it, and others of ours may listen beside it.

        :raises OSError: somebody else has the port.
        """
        reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            reserved.bind((LOOPBACK, self.port))
        except BaseException:
            reserved.close()
            raise
        return reserved


@frozen
class Asking:
    """One process's place at the port: nobody else gets it until :meth:`close`."""

    questions: Questions
    _reserved: socket.socket

    def listen(self, reactor: Any, factory: IProtocolFactory) -> IListeningPort:
        """Answer from now on; once.

        :param reactor: an ``IReactorSocket``.
        """
        self._reserved.listen(_WAITING)
        self._reserved.setblocking(False)
        port: IListeningPort = reactor.adoptStreamPort(
            self._reserved.fileno(), socket.AF_INET, factory
        )
        self._reserved.close()
        return port

    def close(self) -> None:
        """Give the place up, if nobody has begun to listen there."""
        self._reserved.close()


def known_questions(home: Path) -> Questions | None:
    """What was made up for a state directory's broker; ``None``: nothing, or it is not for us.

    Blocks.
    """
    return _read(home / _KEPT)


def open_questions(home: Path, deadline: Deadline) -> Asking:
    """Take the place that a state directory's broker asks at, making it up the first time.

    Blocks.  The port is another one than before if a stranger has it by now:
    then a broker that runs has to be started anew with it.

    :raises Unavailable: there is no free port, or another process keeps choosing one.
    """
    kept = home / _KEPT
    with Claim(home, "questions").exclusive(deadline):
        known = _read(kept)
        questions = known or Questions(0, secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        for _ in range(_TRIES):
            if questions.port:
                with suppress(OSError):
                    reserved = questions.reserve()
                    break
            questions = evolve(questions, port=choose(1)[0])
        else:
            raise Unavailable("RabbitMQ", "there is no free port where it could ask us")
        if questions != known:
            write_private(kept, json.dumps(asdict(questions)))
    return Asking(questions, reserved)


def _read(path: Path) -> Questions | None:
    """What is kept; ``None`` if there is nothing of use, or others may have read it."""
    try:
        if path.stat().st_mode & 0o077 or path.stat().st_uid != os.geteuid():
            return None
        return Questions(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
