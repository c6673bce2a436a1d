"""The body of a request: pulled from a stream, no faster than Swift takes it."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer
from twisted.python.failure import Failure
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from zope.interface import implementer

from stacksync.interfaces import IByteStream
from stacksync.storage.swift.patience import Patience

WRITTEN_AT_ONCE = 256 * 1024
"""Bytes that are handed to the connection before it may say that it is full."""


@implementer(IBodyProducer)
class RequestBody:
    """Sends what a stream gives; an error of the stream breaks the request off.

    A body of unknown length that is broken off has no last chunk, one of known
    length is too short: Swift keeps neither.

    :param length: bytes, or ``None`` if nobody knows.
    :ivar failure: what reading the stream raised.
    :ivar is_sent: whether the connection has taken all of it.
    """

    def __init__(self, source: IByteStream, length: int | None) -> None:
        self.length = UNKNOWN_LENGTH if length is None else length
        self.failure: Exception | None = None
        self.is_sent = False
        self.patience: Patience | None = None
        self._source = source
        self._done: Deferred[None] | None = None
        self._pumping: Deferred[None] | None = None
        self._resumed: Deferred[None] | None = None
        self._is_over = False

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        self._done = Deferred(lambda _: self.stopProducing())
        self._pumping = Deferred.fromCoroutine(self._pump(consumer))
        self._pumping.addCallbacks(self._finished, self._failed)
        return self._done

    def pauseProducing(self) -> None:
        if self._resumed is None:
            self._resumed = Deferred()

    def resumeProducing(self) -> None:
        if self._resumed is not None:
            resumed, self._resumed = self._resumed, None
            if not resumed.called:
                resumed.callback(None)

    def stopProducing(self) -> None:
        """Nobody wants the rest.  Harmless when there is none, and before the beginning."""
        self._is_over = True
        if self._pumping is not None:
            self._pumping.cancel()

    async def _pump(self, consumer: Any) -> None:
        while piece := await self._read():
            for start in range(0, len(piece), WRITTEN_AT_ONCE):
                consumer.write(piece[start : start + WRITTEN_AT_ONCE])
                if self._resumed is not None:
                    await self._resumed
                if self.patience is not None:
                    self.patience.progress()

    async def _read(self) -> bytes:
        """The next piece; a slow sender has all the time that its own caller gives it."""
        if self.patience is not None:
            self.patience.rest()
        try:
            return await self._source.read()
        except Exception as error:
            self.failure = error
            raise
        finally:
            if self.patience is not None and not self._is_over:
                self.patience.progress()

    def _finished(self, _: None) -> None:
        if not self._is_over and self._done is not None:
            self._is_over = self.is_sent = True
            self._done.callback(None)

    def _failed(self, failure: Failure) -> None:
        # Who stopped it knows; Twisted would log what it has no use for.
        if not self._is_over and self._done is not None:
            self._is_over = True
            self._done.errback(failure)
