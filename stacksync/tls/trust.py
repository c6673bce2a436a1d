"""Whom a TLS connection is made to: only who proves to be the host that was asked for.

RFC 9525 and RFC 5280, as OpenSSL and service-identity do them.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Any

from OpenSSL import SSL, crypto
from service_identity import VerificationError
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity
from service_identity.pyopenssl import extract_patterns
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.python.failure import Failure
from zope.interface import implementer

from stacksync.tls.context import new_context
from stacksync.tls.failures import ServerNotTrusted
from stacksync.tls.identity import Identity
from stacksync.tls.pem import read_certificates

# OpenSSL's numbers (x509_vfy.h), which pyOpenSSL has no names for.
_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED = 9, 10, 18
# No issuer found, or one of the same name that did not sign it.
_UNKNOWN = (2, 7, 19, 20, 21)


class Trust:
    """Who may have signed the certificates of servers.

    :param option: which setting it comes from, for error messages: ``[keystone] ca_file``.
    :param context: with the certificates of whom we trust in it.
    """

    def __init__(self, option: str, context: SSL.Context) -> None:
        self._option = option
        self._context = context

    def of_host(self, host: str) -> IOpenSSLClientConnectionCreator:
        """The client's end of a connection to a host: its name or IP address."""
        return _ProvenHost(host, self._context, self._option)


def trust_of(ca_file: Path, option: str, identity: Identity | None = None) -> Trust:
    """Trust in the certificates of a PEM file; an empty path: in those that the machine trusts.

    :param option: which setting names the file.
    :param identity: our own certificate, for servers that want one.
    :raises ConfigurationError: the file can't be read, or has no certificate.
    """
    context = new_context(identity)
    if ca_file == Path():
        context.set_default_verify_paths()
        return Trust(option, context)
    store = context.get_cert_store()
    assert store is not None
    for certificate in read_certificates(ca_file.absolute(), option):
        store.add_cert(crypto.X509.from_cryptography(certificate))
    return Trust(option, context)


@implementer(IOpenSSLClientConnectionCreator)
class _ProvenHost:
    """Fails every handshake with who can't prove to be the host."""

    def __init__(self, host: str, context: SSL.Context, option: str) -> None:
        self._host = host if host.isascii() else host.encode("idna").decode("ascii")
        self._context = context
        self._option = option
        try:
            ip_address(self._host)
        except ValueError:
            self._wanted: Any = DNS_ID(self._host)
            self._server_name = self._host.encode("ascii")
        else:
            # An address is no server name (RFC 6066, section 3).
            self._wanted, self._server_name = IPAddress_ID(self._host), b""

    def clientConnectionForTLS(self, protocol: Any) -> SSL.Connection:  # noqa: N802
        connection = SSL.Connection(self._context, None)
        connection.set_app_data(protocol)
        if self._server_name:
            connection.set_tlsext_host_name(self._server_name)

        def verify(
            connection: SSL.Connection, certificate: Any, error: int, depth: int, ok: int
        ) -> bool:
            problem = self._problem(certificate, error, depth, bool(ok))
            if problem is not None:
                # The connection's own data: what is closed over here would never be freed.
                owner: Any = connection.get_app_data()
                owner.failVerification(Failure(ServerNotTrusted(problem)))
            return problem is None

        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, verify)
        return connection

    def _problem(self, certificate: crypto.X509, error: int, depth: int, ok: bool) -> str | None:
        try:
            if not ok:
                return self._refusal(certificate, error, depth)
            if depth == 0:
                verify_service_identity(extract_patterns(certificate), [self._wanted], [])
        except VerificationError:
            return f"the server's certificate is for another host name than {self._host}"
        except Exception as broken:
            # OpenSSL would only hear that something was raised.
            return f"the server's certificate can't be understood: {broken}"
        return None

    def _refusal(self, certificate: crypto.X509, error: int, depth: int) -> str:
        whose = "the server's certificate" if depth == 0 else "a certificate of who signed it"
        dates = certificate.to_cryptography()
        if error == _EXPIRED:
            return f"{whose} has expired on {dates.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        if error == _NOT_YET_VALID:
            starts = dates.not_valid_before_utc
            return f"{whose} is not valid before {starts:%Y-%m-%d %H:%M} UTC"
        if error == _SELF_SIGNED:
            return (
                "the server's certificate is signed by itself, and by nobody whom we trust:"
                f" let {self._option} name it, if it is the right one"
            )
        if error in _UNKNOWN:
            return (
                "the server's certificate is signed by nobody whom we trust:"
                f" let {self._option} name the certificate of who signed it"
            )
        return f"{whose} can't be trusted (OpenSSL's error {error})"
