"""Password hashes: Argon2id (RFC 9106), off the reactor thread.

A hash costs tens of milliseconds and tens of megabytes by design, so hashes
have a small thread pool of their own and a bounded queue before it.  This
module does not know whose passwords they are, and never keeps or logs one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import argon2
from argon2.exceptions import Argon2Error, InvalidHashError
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from stacksync.errors import InvalidRequest, TooManyRequests, Unavailable

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorThreads

    from stacksync.config import AuthConfig

PASSWORD_BYTES_MAX = 1024
QUEUE_MAX = 64

Answer = TypeVar("Answer")


def problem_with(password: str) -> str | None:
    """What makes this text impossible as a password, or ``None``.

    1 to 1,024 bytes of UTF-8, without NUL.
    """
    if not password:
        return "must not be empty"
    # The cheap test first: a password of megabytes must not even be encoded.
    if len(password) > PASSWORD_BYTES_MAX:
        return f"must not be longer than {PASSWORD_BYTES_MAX} bytes"
    if "\0" in password:
        return "must not contain NUL"
    try:
        encoded = password.encode()
    except UnicodeEncodeError:
        return "must be valid Unicode text"
    if len(encoded) > PASSWORD_BYTES_MAX:
        return f"must not be longer than {PASSWORD_BYTES_MAX} bytes"
    return None


class HashThread(Thread):
    """A thread that does not keep the process alive: a hash may be lost with it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, daemon=True, **options)


@define(eq=False)
class PasswordHasher:
    """Makes and checks Argon2id hashes in the PHC string format.

    The pool starts with the first hash; :meth:`stop` ends it, for good.
    Every method raises :class:`~stacksync.errors.Unavailable` after that.

    :param queue_max: how many passwords may wait for a thread.
    """

    _reactor: IReactorThreads
    _settings: AuthConfig
    _queue_max: int = QUEUE_MAX
    _argon2: argon2.PasswordHasher = field(init=False)
    _pool: ThreadPool | None = field(init=False, default=None)
    _waiting: int = field(init=False, default=0)
    _stopped: bool = field(init=False, default=False)
    _dummy_hash: str | None = field(init=False, default=None)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=self._settings.argon2_time_cost,
            memory_cost=self._settings.argon2_memory // 1024,
            parallelism=self._settings.argon2_parallelism,
            type=argon2.Type.ID,
        )

    async def hash(self, password: str) -> str:
        """The hash to keep for a password.

        :raises InvalidRequest: no possible password (:func:`problem_with`).
        :raises TooManyRequests: too many passwords are waiting already.
        """
        problem = problem_with(password)
        if problem is not None:
            raise InvalidRequest("password", problem)
        return await self._in_thread(lambda: self._argon2.hash(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password belongs to the hash.

        Without a hash the answer is ``False`` and takes as long as with one,
        so that nobody learns from the time whether an account exists.

        :raises TooManyRequests: too many passwords are waiting already.
        """
        if problem_with(password) is not None:
            return False
        return await self._in_thread(lambda: self._matches(password_hash, password))

    async def stop(self) -> None:
        """End the threads, when the hash under way in each is done."""
        self._stopped = True
        if self._pool is not None:
            # Joining threads blocks, so a thread of the reactor's own pool does it.
            await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), self._pool.stop)

    def _matches(self, password_hash: str | None, password: str) -> bool:
        if self._dummy_hash is None:
            # Whoever is the first pays for it, with a hash to compare with or without.
            self._dummy_hash = self._argon2.hash(secrets.token_urlsafe())
        try:
            if password_hash is not None:
                return self._argon2.verify(password_hash, password)
        except InvalidHashError:
            self._log.error("a password hash in the database is not one: nobody can sign in by it")
        except Argon2Error:
            return False
        with suppress(Argon2Error):
            self._argon2.verify(self._dummy_hash, password)
        return False

    async def _in_thread(self, work: Callable[[], Answer]) -> Answer:
        if self._stopped:
            raise Unavailable("passwords", "the server is stopping")
        if self._waiting >= self._queue_max:
            raise TooManyRequests("too many passwords are being checked", retry_after=1.0)
        if self._pool is None:
            self._pool = ThreadPool(0, self._settings.hash_threads, name="passwords")
            self._pool.threadFactory = HashThread
            self._pool.start()
        answer: Deferred[Answer] = Deferred()
        self._waiting += 1
        self._pool.callInThreadWithCallback(
            lambda succeeded, outcome: self._reactor.callFromThread(
                self._done, answer, succeeded, outcome
            ),
            work,
        )
        return await answer

    def _done(self, answer: Deferred[Answer], succeeded: bool, outcome: Answer | Failure) -> None:
        # Only here is the thread free again, even where the caller has given up long ago.
        self._waiting -= 1
        if isinstance(outcome, Failure):
            answer.errback(outcome)
        else:
            answer.callback(outcome)
