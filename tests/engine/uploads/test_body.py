"""A piece's body is counted and compared, and ends where it breaks off."""

from __future__ import annotations

import hashlib
from binascii import unhexlify

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred

from stacksync.engine.uploads.body import HASHES, Checksum, UploadBody
from stacksync.errors import ChecksumMismatch, IncompleteBody, InvalidRequest, TooLarge
from stacksync.interfaces import IByteStream
from stacksync.streams import BytesStream
from tests.engine.uploads.upload_bodies import BrokenBody

# What the specifications of the hashes, and the usual check of CRC-32, say that they give.
KNOWN = {
    "crc32": (b"123456789", "cbf43926"),
    "md5": (b"abc", "900150983cd24fb0d6963f7d28e17f72"),
    "sha1": (b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    "sha256": (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
}


async def taken(body: IByteStream) -> bytes:
    """All that a body gives until it ends for the first time."""
    content = b""
    while piece := await body.read():
        content += piece
    return content


@pytest.mark.parametrize("algorithm", sorted(HASHES))
@ensureDeferred
async def test_a_checksum_that_fits_is_accepted_and_another_is_not(algorithm: str) -> None:
    content, digest = KNOWN[algorithm]
    body = UploadBody(BytesStream(content), 100, Checksum(algorithm, unhexlify(digest)))
    body.begin_portion(100)
    assert await taken(body) == content
    body.check()
    body = UploadBody(BytesStream(content + b"!"), 100, Checksum(algorithm, unhexlify(digest)))
    body.begin_portion(100)
    await taken(body)
    with pytest.raises(ChecksumMismatch, match=algorithm):
        body.check()


@pytest.mark.parametrize(
    ("algorithm", "digest"), [("sha512", b"x" * 64), ("", b""), ("SHA1", b"x" * 20)]
)
def test_another_algorithm_is_refused(algorithm: str, digest: bytes) -> None:
    with pytest.raises(InvalidRequest, match="Upload-Checksum: the algorithm is one of crc32, md5"):
        Checksum(algorithm, digest)


@given(st.sampled_from(sorted(HASHES)), st.integers(0, 64))
def test_a_checksum_of_another_length_is_refused(algorithm: str, length: int) -> None:
    right = len(HASHES[algorithm]().digest())
    if length == right:
        Checksum(algorithm, bytes(length))
    else:
        with pytest.raises(InvalidRequest, match=f"has {right} bytes, not {length}"):
            Checksum(algorithm, bytes(length))


@ensureDeferred
async def test_it_ends_after_each_portion_and_then_for_good() -> None:
    content = hashlib.sha512(b"some").digest() * 8192
    body = UploadBody(BrokenBody(content), len(content))
    portions = []
    while not body.ended:
        body.begin_portion(100_000)
        portions.append(await taken(body))
    assert b"".join(portions) == content
    assert [len(portion) for portion in portions] == [131072] * 4 + [0]
    assert await body.read() == b""
    with pytest.raises(IncompleteBody):
        body.check()


@ensureDeferred
async def test_a_byte_too_many_is_an_error_and_what_fits_is_not() -> None:
    body = UploadBody(BytesStream(b"12345"), 5)
    body.begin_portion(100)
    assert await taken(body) == b"12345"
    body.check()
    body = UploadBody(BytesStream(b"123456"), 5)
    body.begin_portion(100)
    assert await taken(body) == b""
    assert body.ended
    with pytest.raises(TooLarge):
        body.check()
