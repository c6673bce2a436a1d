"""TLS for all that listens and all that connects: versions, ciphers, certificates, trust.

Files are read here, and read anew on SIGHUP; what is spoken over a connection
is for others.  Nothing else imports OpenSSL.
"""

from __future__ import annotations

from stacksync.tls.client import ClientSecurity
from stacksync.tls.endpoint import looks_like_tls, secured
from stacksync.tls.failures import ServerNotTrusted, tls_problem
from stacksync.tls.hang_up import HangUp
from stacksync.tls.identity import Identity, IdentityFiles, read_identity
from stacksync.tls.listening import Listening
from stacksync.tls.server import ServerSecurity
from stacksync.tls.trust import Trust, trust_of

__all__ = [
    "ClientSecurity",
    "HangUp",
    "Identity",
    "IdentityFiles",
    "Listening",
    "ServerNotTrusted",
    "ServerSecurity",
    "Trust",
    "looks_like_tls",
    "read_identity",
    "secured",
    "tls_problem",
    "trust_of",
]
