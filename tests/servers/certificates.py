"""Certificates for tests: an authority of their own, and what it signs.

With all that RFC 5280 wants of them: from 3.13 on, Python takes no others.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM

_SIGNS_OTHERS = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@frozen
class Authority:
    """Signs certificates.

    :ivar file: its own certificate, for those who are to trust it.
    """

    directory: Path
    file: Path
    _key: ec.EllipticCurvePrivateKey
    _certificate: x509.Certificate

    def issue(
        self, host: str, *, days: int = 1, is_rsa: bool = False, file: Path | None = None
    ) -> Path:
        """A PEM file with the certificate of a host (a name or an IP address) and its key.

        :param days: how long it is valid; negative: it has expired.
        :param is_rsa: with an RSA key; else one on an elliptic curve.
        :param file: which to write; one that is there is replaced at once, as a renewal does.
        """
        key = _new_key(is_rsa)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _leaf(host, self._certificate.subject, key, days)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = file or self.directory / f"{host}.{days}{'.rsa' if is_rsa else ''}.pem"
        return _written(file, certificate, key)


def new_authority(directory: Path, name: str = "test authority") -> Authority:
    """Make an authority whose files are in the directory."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    certificate = (
        _builder(name, subject, key, 1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS_OTHERS, critical=True)
        .sign(key, hashes.SHA256())
    )
    file = directory / "authority.pem"
    file.write_bytes(certificate.public_bytes(_PEM))
    return Authority(directory, file, key, certificate)


def self_signed(directory: Path, host: str, *, days: int = 1) -> Path:
    """A PEM file with a certificate that nobody but its own key has signed, and the key."""
    key = _new_key(False)
    certificate = _leaf(host, _name(host), key, days).sign(key, hashes.SHA256())
    return _written(directory / f"{host}.self.pem", certificate, key)


def _new_key(is_rsa: bool) -> Key:
    if is_rsa:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _written(file: Path, certificate: x509.Certificate, key: Key) -> Path:
    new = file.with_suffix(".new")
    new.write_bytes(certificate.public_bytes(_PEM) + _private(key))
    new.replace(file)
    return file


def _leaf(host: str, issuer: x509.Name, key: Key, days: int) -> x509.CertificateBuilder:
    names = x509.SubjectAlternativeName([_general_name(host)])
    return _builder(host, issuer, key, days).add_extension(names, critical=False)


def _builder(name: str, issuer: x509.Name, key: Key, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=7))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _private(key: Key) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
