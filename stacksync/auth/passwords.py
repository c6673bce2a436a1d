"""Password hashes: Argon2id (RFC 9106), off the reactor thread.

Passwords are hashed in the normalisation form NFC (RFC 7617 section 2.1, RFC 8265
section 4.2): the same letters are the same password, however a keyboard composes
them.  Each hash is computed in a thread of :mod:`stacksync.auth.hash_queue`.
This module does not know whose passwords they are, and never keeps or logs one.
"""

from __future__ import annotations

import secrets
import unicodedata
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING

import argon2
from argon2.exceptions import Argon2Error, InvalidHashError
from attrs import define, field
from twisted.logger import Logger

from stacksync.auth.hash_queue import QUEUE_MAX, HashQueue
from stacksync.auth.turns import ANYBODY, Lane, Turn
from stacksync.errors import InvalidRequest

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorThreads

    from stacksync.config import AuthConfig

PASSWORD_BYTES_MAX = 1024

DECOYS_MAX = 8
"""Sets of parameters that unknown accounts are given the look of."""

SETTING = Turn(Lane.KNOWN)
"""The turn of whoever sets a password, having signed in before."""

Costs = tuple[int, int, int]


def normalised(text: str) -> str:
    """The form in which passwords are hashed and measured: NFC."""
    return unicodedata.normalize("NFC", text)


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


@define(eq=False)
class PasswordHasher:
    """Makes and checks Argon2id hashes in the PHC string format.

    Every method raises :class:`~stacksync.errors.Unavailable` after :meth:`stop`.

    :param queue_max: how many passwords may wait for a thread in each lane.
    """

    _reactor: IReactorThreads
    _settings: AuthConfig
    _queue_max: int = QUEUE_MAX
    _argon2: argon2.PasswordHasher = field(init=False)
    _queue: HashQueue = field(init=False)
    _decoys: dict[Costs, str] = field(init=False, factory=dict)
    _key: bytes = field(init=False, factory=lambda: secrets.token_bytes(32), repr=False)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._queue = HashQueue(self._reactor, self._settings.hash_threads, self._queue_max)
        self._argon2 = argon2.PasswordHasher(
            time_cost=self._settings.argon2_time_cost,
            memory_cost=self._settings.argon2_memory // 1024,
            parallelism=self._settings.argon2_parallelism,
            type=argon2.Type.ID,
        )

    async def hash(self, password: str, turn: Turn = SETTING) -> str:
        """The hash to keep for a password.

        :raises InvalidRequest: no possible password (:func:`problem_with`).
        :raises TooManyRequests: too many passwords are waiting already.
        """
        problem = problem_with(password)
        if problem is not None:
            raise InvalidRequest("password", problem)
        return await self._queue.run(turn, lambda: self._argon2.hash(normalised(password)))

    async def verify(
        self,
        password_hash: str | None,
        password: str,
        name: str = "",
        turn: Turn = ANYBODY,
    ) -> bool:
        """Whether the password belongs to the hash.

        Without a hash the answer is ``False`` and takes as long as with one,
        so that nobody learns from the time whether an account exists.

        :param name: whose password it would be, if there were a hash.
        :raises TooManyRequests: too many passwords are waiting already.
        """
        if problem_with(password) is not None:
            return False
        return await self._queue.run(turn, lambda: self._matches(password_hash, password, name))

    def is_outdated(self, password_hash: str) -> bool:
        """Whether a hash was made with other parameters than a new one would be."""
        try:
            return self._argon2.check_needs_rehash(password_hash)
        except InvalidHashError:
            return False

    async def stop(self) -> None:
        """End the threads, when the hash under way in each is done."""
        await self._queue.stop()

    def _matches(self, password_hash: str | None, password: str, name: str) -> bool:
        # Hashes that were made of text as it came are still there.
        texts = list(dict.fromkeys((normalised(password), password)))
        # Whoever is the first pays for the decoys, with a hash to compare with or without.
        decoys = self._decoys_with(password_hash)
        try:
            if password_hash is not None:
                return any(self._fits(password_hash, text) for text in texts)
        except InvalidHashError:
            self._log.error("a password hash in the database is not one: nobody can sign in by it")
        chosen = blake2b(name.casefold().encode("utf-8", "replace"), key=self._key).digest()
        decoy = decoys[int.from_bytes(chosen[:8]) % len(decoys)]
        for text in texts:
            self._fits(decoy, text)
        return False

    def _fits(self, password_hash: str, text: str) -> bool:
        try:
            return self._argon2.verify(password_hash, text)
        except InvalidHashError:
            raise
        except Argon2Error:
            return False

    def _decoys_with(self, password_hash: str | None) -> list[str]:
        """What is compared with where there is no hash.

        As long as there are hashes of several costs, from before the parameters were
        changed, an unknown account has to look like any of those.
        """
        if not self._decoys:
            made = self._argon2.hash(secrets.token_urlsafe())
            self._decoys[costs_of(made)] = made
        if password_hash is not None and len(self._decoys) < DECOYS_MAX:
            with suppress(InvalidHashError):
                costs = costs_of(password_hash)
                if costs not in self._decoys:
                    parameters = argon2.extract_parameters(password_hash)
                    other = argon2.PasswordHasher.from_parameters(parameters)
                    self._decoys[costs] = other.hash(secrets.token_urlsafe())
        return list(self._decoys.values())


def costs_of(password_hash: str) -> Costs:
    """:raises InvalidHashError: it is no hash."""
    parameters = argon2.extract_parameters(password_hash)
    return parameters.time_cost, parameters.memory_cost, parameters.parallelism
