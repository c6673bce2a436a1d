"""A file's type comes of its content, and of its name where the content does not object."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacksync.engine.content.mimetypes import UNKNOWN, is_type, type_of
from tests.engine.content.builders import noise

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(50)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + noise(500)


def archive(kind: str | None = None) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        if kind is not None:
            file.writestr("mimetype", kind)
        file.writestr("word/document.xml", "<document/>")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("picture.png", PNG, "image/png"),
        ("picture", PNG, "image/png"),
        ("picture.jpg", PNG, "image/png"),
        ("picture.txt", JPEG, "image/jpeg"),
        ("book.pdf", PDF, "application/pdf"),
        ("book", PDF, "application/pdf"),
        ("archive.zip", archive(), "application/zip"),
        ("notes.txt", b"milk, bread\n", "text/plain"),
        ("notes", b"milk, bread\n", "text/plain"),
        ("notes", "Käse, Öl, 牛乳\n".encode() * 1000, "text/plain"),
        ("page.html", b"<!DOCTYPE html><html></html>", "text/html"),
        ("table.csv", b"a,b\n1,2\n", "text/csv"),
        ("program.py", b"import this\n", "text/x-python"),
        ("settings.json", b'{"a": 1}', "application/json"),
        ("notes.txt", noise(5000), UNKNOWN),
        ("noise", noise(5000), UNKNOWN),
        ("empty.txt", b"", "text/plain"),
        ("empty", b"", UNKNOWN),
        ("all.tar.gz", b"\x1f\x8b\x08\x00" + noise(100), "application/gzip"),
        ("drawing.svg", b'<?xml version="1.0"?><svg/>', "image/svg+xml"),
        ("letter", b'<?xml version="1.0"?><a/>', "application/xml"),
        ("song.mp3", b"ID3\x03\0\0" + bytes(90), "audio/mpeg"),
        ("film", b"\0\0\0\x20ftypisom" + bytes(90), "video/mp4"),
        ("data:text/html,x.png", PNG, "image/png"),
    ],
)
def test_the_type_of_a_file(name: str, head: bytes, kind: str) -> None:
    assert type_of(name, head) == kind


def test_what_is_in_an_archive_by_its_nature_goes_by_its_name() -> None:
    office = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert type_of("letter.docx", archive()) == office
    assert type_of("book.epub", archive("application/epub+zip")) == "application/epub+zip"


@given(name=st.text(max_size=80), head=st.binary(max_size=300))
def test_there_is_a_type_for_anything(name: str, head: bytes) -> None:
    assert is_type(type_of(name, head))


@given(kind=st.sampled_from([PNG, JPEG, PDF, archive()]), end=st.integers(0, 60))
def test_there_is_a_type_for_what_is_cut_off(kind: bytes, end: int) -> None:
    assert is_type(type_of("file", kind[:end]))
