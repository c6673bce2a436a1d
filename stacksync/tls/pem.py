"""Files in PEM (RFC 7468), read with errors that name option, file and what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from stacksync.errors import ConfigurationError

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)
_KEY = re.compile(rb"-----BEGIN ((?:[A-Z]+ )*PRIVATE KEY)-----.*?-----END \1-----", re.S)


def read_certificates(file: Path, option: str) -> list[x509.Certificate]:
    """All certificates of a file, at least one.

    :param option: which setting named the file: ``[http] certificate``.
    :raises ConfigurationError: the file can't be read, or holds none, or a broken one.
    """
    blocks = _CERTIFICATE.findall(_content(file, option))
    if not blocks:
        raise ConfigurationError(f"{option}: {file} has no certificate (PEM) in it")
    try:
        return [x509.load_pem_x509_certificate(block) for block in blocks]
    except ValueError:
        raise ConfigurationError(f"{option}: {file} has a certificate that can't be read") from None


def read_key(file: Path, option: str) -> PrivateKeyTypes:
    """The first private key of a file.

    :raises ConfigurationError: the file can't be read, or holds none, or one that can't be used.
    """
    found = _KEY.search(_content(file, option))
    if found is None:
        raise ConfigurationError(f"{option}: {file} has no private key (PEM) in it")
    try:
        return load_pem_private_key(found[0], password=None)
    except TypeError:
        raise ConfigurationError(
            f"{option}: {file} has a key with a passphrase, which nobody could type in here;"
            " write it without one, readable for this service alone"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        # Nothing of what was said: it might quote the key.
        raise ConfigurationError(f"{option}: {file} has a key that can't be read") from None


def _content(file: Path, option: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{option}: {file} can't be read: {error.strerror}") from None
