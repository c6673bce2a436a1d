"""A body that is held to the size that was agreed on."""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import implementer

from stacksync.errors import IncompleteBody, TooLarge
from stacksync.interfaces import IByteStream


@implementer(IByteStream)
class BoundedBody:
    """Passes a body on, and fails as soon as it is too long, or ends too soon.

    :param length: how many bytes were announced, ``None``: nobody said.
    :param most: how many bytes are allowed, ``None``: any number.
    :param refusal: makes the error for more than that.
    """

    def __init__(
        self,
        body: IByteStream,
        *,
        length: int | None = None,
        most: int | None = None,
        refusal: Callable[[], Exception] = lambda: TooLarge("the content is too large"),
    ) -> None:
        self._body = body
        self._length = length
        self._most = most
        self._refusal = refusal
        self._size = 0

    async def read(self) -> bytes:
        """See :meth:`stacksync.interfaces.IByteStream.read`.

        :raises IncompleteBody: the end comes before the announced length.
        :raises TooLarge: the announced length, or what is allowed, is exceeded.
        """
        piece = await self._body.read()
        self._size += len(piece)
        if self._most is not None and self._size > self._most:
            raise self._refusal()
        if self._length is not None:
            if self._size > self._length:
                raise TooLarge(f"the content goes on after the {self._length} bytes announced")
            if not piece and self._size < self._length:
                raise IncompleteBody(
                    f"the content ends after {self._size} of the {self._length} bytes announced"
                )
        return piece

    async def close(self) -> None:
        await self._body.close()
