"""What we prove with who we are: a certificate, those that lead to who signed it, and its key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from OpenSSL import SSL
from twisted.logger import Logger

from stacksync.errors import ConfigurationError
from stacksync.tls.pem import read_certificates, read_key

log = Logger()

SOON = timedelta(days=10)
"""A certificate that ends within this is worth a warning: renewals come earlier."""


@frozen
class IdentityFiles:
    """Where certificate and key are, and which settings said so, for error messages.

    :ivar chain: more certificates, that lead to the authority; those in the
        certificate's own file come first.
    """

    certificate: Path
    key: Path
    certificate_option: str
    key_option: str
    chain: Path | None = None
    chain_option: str = ""

    @classmethod
    def of_section(cls, section: str, certificate: Path, key: Path) -> IdentityFiles:
        """Of the options ``certificate`` and ``key`` of a section."""
        options = (f"[{section}] certificate", f"[{section}] key")
        return cls(certificate.absolute(), key.absolute(), *options)


@frozen
class Identity:
    """A certificate that fits its key.

    :ivar file: where it was read, for messages.
    """

    file: Path
    certificate: x509.Certificate = field(repr=False)
    _chain: tuple[x509.Certificate, ...] = field(repr=False)
    _key: Any = field(repr=False)

    @property
    def ends(self) -> datetime:
        """Until when the certificate is valid."""
        return self.certificate.not_valid_after_utc

    def put_into(self, context: SSL.Context) -> None:
        """Show it on the connections of a context.

        :raises ConfigurationError: OpenSSL does not take it.
        """
        try:
            context.use_certificate(self.certificate)
            for each in self._chain:
                context.add_extra_chain_cert(each)
            context.use_privatekey(self._key)
        except (SSL.Error, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"the certificate in {self.file} can't be used: {reason_of(error)}"
            ) from None


def read_identity(files: IdentityFiles) -> Identity:
    """Read certificate and key, and see that they fit; a date that is wrong is only warned of.

    :raises ConfigurationError: a file can't be read or used; names option, file and problem.
    """
    certificates = read_certificates(files.certificate, files.certificate_option)
    own, chain = certificates[0], certificates[1:]
    key = read_key(files.key, files.key_option)
    wanted = _public(key.public_key())
    if _public(own.public_key()) != wanted:
        if any(_public(each.public_key()) == wanted for each in chain):
            raise ConfigurationError(
                f"{files.certificate_option}: in {files.certificate} our own certificate has to be"
                " the first; after it comes who signed it"
            )
        raise ConfigurationError(
            f"{files.key_option}: the key in {files.key} is not that of the certificate in"
            f" {files.certificate}"
        )
    if files.chain is not None:
        chain += read_certificates(files.chain, files.chain_option)
    _warn_of_dates(own, files)
    return Identity(files.certificate, own, tuple(chain), key)


def reason_of(error: BaseException) -> str:
    """What OpenSSL says: ``ee key too small``."""
    queue = error.args[0] if isinstance(error, SSL.Error) and error.args else ()
    told = [str(entry[-1]) for entry in queue if isinstance(entry, tuple) and entry]
    return ", ".join(filter(None, told)) or str(error) or type(error).__name__


def _public(key: Any) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def _warn_of_dates(certificate: x509.Certificate, files: IdentityFiles) -> None:
    now = datetime.now(UTC)
    starts, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if ends < now:
        problem = f"has expired on {ends:%Y-%m-%d %H:%M} UTC: nobody will trust it"
    elif starts > now:
        problem = f"is not valid before {starts:%Y-%m-%d %H:%M} UTC: nobody will trust it till then"
    elif ends < now + SOON:
        problem = f"expires on {ends:%Y-%m-%d %H:%M} UTC"
    else:
        return
    log.warn(
        "{option}: the certificate in {file} {problem}",
        option=files.certificate_option,
        file=str(files.certificate),
        problem=problem,
    )
