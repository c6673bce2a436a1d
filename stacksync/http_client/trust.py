"""Whom a TLS connection is made to: only who proves to be the host that was asked for.

RFC 9525 and RFC 5280, as Twisted and service-identity do them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from OpenSSL import crypto
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import (
    Certificate,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from stacksync.errors import ConfigurationError

_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"


@implementer(IPolicyForHTTPS)
class Trust:
    """Verifies certificate and host name of every connection.

    :param trust_root: who may have signed a certificate.
    """

    def __init__(self, trust_root: Any) -> None:
        self._trust_root = trust_root

    def creatorForNetloc(  # noqa: N802
        self, hostname: bytes, port: int
    ) -> IOpenSSLClientConnectionCreator:
        creator: IOpenSSLClientConnectionCreator = optionsForClientTLS(
            hostname.decode("ascii"), trustRoot=self._trust_root
        )
        return creator


def trust_of(ca_file: Path) -> Trust:
    """Trust in the certificates of a PEM file; an empty path: in those that the machine trusts.

    :raises ConfigurationError: the file can't be read, or has no certificate.
    """
    if ca_file == Path():
        return Trust(platformTrust())
    try:
        text = ca_file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"[keystone] ca_file: {ca_file} can't be read: {error.strerror}"
        ) from None
    blocks = [part.split(_BEGIN)[1] for part in text.split(_END) if _BEGIN in part]
    try:
        certificates = [Certificate.loadPEM(_BEGIN + block + _END) for block in blocks]
    except crypto.Error:
        raise ConfigurationError(
            f"[keystone] ca_file: {ca_file} has a certificate that can't be read"
        ) from None
    if not certificates:
        raise ConfigurationError(f"[keystone] ca_file: {ca_file} has no certificate (PEM) in it")
    return Trust(trustRootFromCertificates(certificates))
