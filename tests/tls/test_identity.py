"""Certificate and key, read from files: what is wrong is told with option, file and problem."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.logger import LogLevel, capturedLogs

from stacksync.errors import ConfigurationError
from stacksync.tls import IdentityFiles, read_identity
from stacksync.tls.context import new_context
from tests.servers.certificates import Authority

_PEM = serialization.Encoding.PEM


def of_files(certificate: Path, key: Path) -> IdentityFiles:
    return IdentityFiles.of_section("http", certificate, key)


def certificate_in(pem: Path) -> str:
    return re.findall("-----BEGIN CERT.*?END CERTIFICATE-----\n", pem.read_text(), re.S)[0]


def test_a_certificate_its_chain_and_its_key_are_read(authority: Authority, tmp_path: Path) -> None:
    own = authority.issue("localhost", days=90)
    chained = tmp_path / "chained.pem"
    chained.write_text(certificate_in(own) + authority.file.read_text())
    with capturedLogs() as lines:
        identity = read_identity(of_files(chained, own))
    new_context(identity)

    assert (identity.file, lines) == (chained, [])
    assert "PRIVATE" not in repr(identity)


def test_an_old_fashioned_key_with_its_parameters_is_read(
    authority: Authority, tmp_path: Path
) -> None:
    own = authority.issue("localhost", days=90)
    key = serialization.load_pem_private_key(own.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    old = key.private_bytes(
        _PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    file = tmp_path / "old.pem"
    file.write_bytes(
        b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + old
    )

    new_context(read_identity(of_files(own, file)))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "certificate: .*/server.pem can't be read: No such file or directory"),
        ("", r"certificate: .*/server.pem has no certificate \(PEM\) in it"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "certificate: .*/server.pem has a certificate that can't be read",
        ),
    ],
)
def test_a_certificate_that_is_none_is_told(
    authority: Authority, tmp_path: Path, content: str | None, problem: str
) -> None:
    file = tmp_path / "server.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match=r"^\[http\] " + problem):
        read_identity(of_files(file, authority.issue("localhost")))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "can't be read: No such file or directory"),
        ("", r"has no private key \(PEM\) in it"),
        (
            "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
            "has a key that can't be read$",
        ),
    ],
)
def test_a_key_that_is_none_is_told(
    authority: Authority, tmp_path: Path, content: str | None, problem: str
) -> None:
    file = tmp_path / "server.key"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match=rf"^\[http\] key: .*/server.key {problem}"):
        read_identity(of_files(authority.issue("localhost"), file))


def test_a_key_with_a_passphrase_is_told(authority: Authority, tmp_path: Path) -> None:
    own = authority.issue("localhost")
    key = serialization.load_pem_private_key(own.read_bytes(), None)
    file = tmp_path / "locked.pem"
    file.write_bytes(
        key.private_bytes(
            _PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"open sesame"),
        )
    )
    with pytest.raises(ConfigurationError, match="has a key with a passphrase"):
        read_identity(of_files(own, file))


def test_a_key_that_does_not_fit_is_told(authority: Authority) -> None:
    own, other = authority.issue("localhost"), authority.issue("example.org")
    told = f"[http] key: the key in {other} is not that of the certificate in {own}"
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        read_identity(of_files(own, other))


def test_a_chain_in_the_wrong_order_is_told(authority: Authority, tmp_path: Path) -> None:
    own = authority.issue("localhost")
    file = tmp_path / "chained.pem"
    file.write_text(authority.file.read_text() + certificate_in(own))
    with pytest.raises(ConfigurationError, match="our own certificate has to be the first"):
        read_identity(of_files(file, own))


@pytest.mark.parametrize(("days", "problem"), [(-1, "has expired on"), (3, "expires on")])
def test_a_date_that_is_wrong_is_warned_of(authority: Authority, days: int, problem: str) -> None:
    own = authority.issue("localhost", days=days)
    with capturedLogs() as lines:
        read_identity(of_files(own, own))

    assert [line["log_level"] for line in lines] == [LogLevel.warn]
    assert lines[0]["problem"].startswith(problem)
    assert lines[0]["file"] == str(own)
