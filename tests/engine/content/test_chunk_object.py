"""Objects are gzip that anybody reads, and what anybody's gzip holds is read and checked."""

from __future__ import annotations

import gzip
import hashlib
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacksync.engine.content import chunk_object
from stacksync.engine.content.chunk_object import (
    BadChunk,
    ChunkDecoder,
    ContentName,
    content_name,
    encode,
    name_of,
    stored,
)
from tests.engine.content.builders import MIB, client_name, noise

TEXT = b"".join(b"%d bottles of beer on the wall\n" % number for number in range(20_000))


def decoded(name: str, body: bytes, piece: int = 10**9, most: int = 2 * MIB) -> bytes:
    """What the pieces of an object give, taken so many bytes at a time."""
    decoder = ChunkDecoder(name)
    plain = []
    for begin in range(0, len(body), piece):
        decoder.feed(body[begin : begin + piece])
        while not decoder.hungry:
            plain.append(decoder.take(most))
            assert len(plain[-1]) <= most
    decoder.feed(b"")
    while not decoder.finished:
        plain.append(decoder.take(most))
        assert len(plain[-1]) <= most
    return b"".join(plain)


def test_a_name_tells_digest_and_size() -> None:
    digest = hashlib.sha256(TEXT).hexdigest()
    assert name_of(TEXT) == f"sha256-{digest}-{len(TEXT)}"
    assert content_name(name_of(TEXT)) == ContentName("sha256", digest, len(TEXT))


def test_a_clients_name_tells_the_digest() -> None:
    digest = hashlib.sha1(TEXT).hexdigest()
    assert content_name(f"chk-{digest.upper()}--17") == ContentName("sha1", digest, None)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "chunk",
        "sha256-" + "a" * 64,
        "sha256-" + "A" * 64 + "-1",
        "sha256-" + "a" * 63 + "-1",
        "sha256-" + "a" * 64 + "-01",
        "sha256-" + "a" * 64 + "--1",
        "sha256-" + "a" * 64 + "-1\n",
        "chk-" + "A" * 40,
        "chk-" + "A" * 40 + "-",
        "chk-" + "a" * 40 + "-1",
        "xchk-" + "A" * 40 + "-1",
    ],
)
def test_other_names_tell_nothing(name: str) -> None:
    assert content_name(name) is None


@pytest.mark.parametrize("plain", [b"", b"a", TEXT, noise(70_000), noise(0xFFFF), bytes(MIB)])
def test_an_object_is_gzip_that_anybody_reads(plain: bytes) -> None:
    assert gzip.decompress(encode(plain)) == plain
    assert gzip.decompress(stored(plain)) == plain


@settings(max_examples=30, deadline=None)
@given(size=st.integers(0, 200_000), seed=st.integers(0, 9))
def test_stored_blocks_hold_any_number_of_bytes(size: int, seed: int) -> None:
    plain = noise(size, seed)
    body = stored(plain)
    assert gzip.decompress(body) == plain
    assert len(body) == 18 + size + 5 * max(1, -(-size // 0xFFFF))


def test_text_is_compressed_and_noise_is_not() -> None:
    assert len(encode(TEXT)) < len(TEXT) / 3
    assert encode(noise(MIB)) == stored(noise(MIB))
    assert encode(noise(100)) == stored(noise(100))


def test_what_looks_compressible_and_is_not_is_stored() -> None:
    size = chunk_object.SAMPLE
    deceptive = bytes(size) + noise(MIB) + bytes(size) + noise(MIB) + bytes(size)
    assert encode(deceptive) == stored(deceptive)


def test_an_object_tells_no_time() -> None:
    for body in (encode(TEXT), encode(noise(100_000))):
        assert body[:4] == b"\x1f\x8b\x08\x00"
        assert body[4:8] == b"\0\0\0\0"


@settings(max_examples=40, deadline=None)
@given(
    size=st.integers(0, 100_000),
    piece=st.integers(1000, 120_000),
    most=st.integers(5000, 120_000),
    kind=st.sampled_from(["noise", "text", "zeros"]),
    packer=st.sampled_from(["ours", "stored", "gzip", "members", "padded"]),
)
def test_any_gzip_is_read_whatever_its_pieces(
    size: int, piece: int, most: int, kind: str, packer: str
) -> None:
    plain = {"noise": noise(100_000), "text": TEXT, "zeros": bytes(100_000)}[kind][:size]
    half = size // 2
    body = {
        "ours": lambda: encode(plain),
        "stored": lambda: stored(plain),
        "gzip": lambda: gzip.compress(plain, 9),
        "members": lambda: gzip.compress(plain[:half]) + gzip.compress(plain[half:], 1),
        "padded": lambda: gzip.compress(plain) + bytes(513),
    }[packer]()
    assert decoded(name_of(plain), body, piece, most) == plain
    assert decoded(client_name(plain), body, piece, most) == plain
    assert decoded("any", body, piece, most) == plain


def test_a_header_with_a_file_name_is_read() -> None:
    body = gzip.compress(TEXT)
    body = body[:3] + b"\x08" + body[4:10] + b"letter.txt\0" + body[10:]
    assert decoded(client_name(TEXT), body, 7) == TEXT


def test_a_little_gzip_that_holds_much_is_taken_bit_by_bit() -> None:
    plain = bytes(32 * MIB)
    decoder = ChunkDecoder(client_name(plain))
    decoder.feed(gzip.compress(plain, 9))
    decoder.feed(b"")
    sizes = []
    while not decoder.finished:
        sizes.append(len(decoder.take(MIB)))
    assert sum(sizes) == len(plain)
    assert max(sizes) == MIB


@pytest.mark.parametrize("size", [1, 65536, MIB])
def test_taking_all_at_once_finishes(size: int) -> None:
    decoder = ChunkDecoder(name_of(bytes(size)))
    decoder.feed(encode(bytes(size)))
    decoder.feed(b"")
    assert len(decoder.take(size + 1)) == size
    assert decoder.finished


def changed(body: bytes, place: int) -> bytes:
    copy = bytearray(body)
    copy[place] ^= 0x10
    return bytes(copy)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "empty"),
        (b"\x1f", "cut short"),
        (b"no gzip at all, but text", "no sound gzip"),
        (encode(TEXT)[:-1], "cut short"),
        (encode(TEXT)[: len(encode(TEXT)) // 2], "cut short"),
        (changed(encode(TEXT), -7), "no sound gzip"),
        (changed(encode(TEXT), -2), "no sound gzip"),
        (encode(TEXT) + b"and more text follows", "no sound gzip"),
        (encode(TEXT) + encode(b"more")[:9], "cut short"),
        (zlib.compress(TEXT), "no sound gzip"),
    ],
)
def test_what_is_no_whole_gzip_is_told(body: bytes, problem: str) -> None:
    for name in ("any", client_name(TEXT), name_of(TEXT)):
        with pytest.raises(BadChunk, match=problem):
            decoded(name, body)


def test_sound_gzip_of_something_else_is_told() -> None:
    other = TEXT[:-1] + b"!"
    for name, problem in [
        (name_of(TEXT), "does not have the sha256"),
        (client_name(TEXT), "does not have the sha1"),
        (name_of(TEXT)[:-1], "holds more than the"),
        (name_of(TEXT) + "0", f"holds {len(TEXT)} bytes, and not"),
    ]:
        with pytest.raises(BadChunk, match=problem):
            decoded(name, encode(other))


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_damage_goes_unnoticed(chance: random.Random) -> None:
    plain = TEXT[:5000]
    body = bytearray(encode(plain))
    # The header's time, flags for the decoder and system change nothing of the content.
    place = chance.choice([0, 1, *range(10, len(body))])
    body[place] ^= 1 << chance.randrange(8)
    try:
        assert decoded(name_of(plain), bytes(body)) == plain
    except BadChunk:
        pass
