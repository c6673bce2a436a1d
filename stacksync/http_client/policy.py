"""Whom HTTPS is spoken with, as twisted.web's agent wants to be told."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from stacksync.tls import Trust, trust_of


@implementer(IPolicyForHTTPS)
class ProvenHosts:
    """Certificate and host name of every connection are verified.

    :param trust: who may have signed a certificate.
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust

    def creatorForNetloc(  # noqa: N802
        self, hostname: bytes, port: int
    ) -> IOpenSSLClientConnectionCreator:
        return self._trust.of_host(hostname.decode("ascii"))


def policy_of(ca_file: Path, option: str) -> ProvenHosts:
    """Trust in the certificates of a file: see :func:`~stacksync.tls.trust.trust_of`."""
    return ProvenHosts(trust_of(ca_file, option))
