"""Where a file is cut into chunks: at places that its content names (FastCDC).

A byte put in or taken out moves the cuts near it alone, so a new version of a
file shares its other chunks with the one before.  The sizes below are part of
what is stored: other ones would cut every file anew, and nothing would be
shared with what is there.  Pure computing, for the content threads.
"""

from __future__ import annotations

from pyfastcdc import FastCDC

SMALLEST = 64 * 1024
AVERAGE = 512 * 1024
LARGEST = 2 * 1024 * 1024
"""Bytes of a chunk; the last one of a file may be smaller."""

CUTS = FastCDC(avg_size=AVERAGE, min_size=SMALLEST, max_size=LARGEST, normalized_chunking=1, seed=0)

IS_COMPILED = not FastCDC.__module__.startswith("pyfastcdc.py")
"""Whether the library came with its compiled half; without it cutting is a hundred times slower."""


class Cutter:
    """Cuts what is fed to it; the cuts do not depend on the size of the pieces fed.

    :ivar tail: what was fed and is in no finished chunk; smaller than :data:`LARGEST`.
        A cutter that is made with it goes on where this one stands.
    """

    def __init__(self, tail: bytes = b"") -> None:
        self.tail = tail

    def feed(self, piece: bytes) -> list[bytes]:
        """The chunks that this piece finishes."""
        content = self.tail + piece if self.tail else piece
        chunks = []
        begin = 0
        for cut in CUTS.cut_buf(content):
            end = begin + cut.length
            # A chunk that ends with the content may only end there because no more has come.
            if end == len(content) and cut.length < LARGEST:
                break
            chunks.append(content[begin:end])
            begin = end
        self.tail = content[begin:]
        return chunks

    def finish(self) -> list[bytes]:
        """The last chunk, if anything is left to be in it."""
        last, self.tail = self.tail, b""
        return [last] if last else []
