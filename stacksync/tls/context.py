"""What both ends of our connections have in common: versions, ciphers, no old habits.

RFC 9325 (BCP 195), as strict as today's clients bear: TLS 1.2 and 1.3, forward
secrecy and authenticated encryption only.
"""

from __future__ import annotations

from OpenSSL import SSL

from stacksync.tls.identity import Identity

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK"
"""Of TLS 1.2; all of TLS 1.3's are of that kind anyway."""

OPTIONS = (
    SSL.OP_NO_COMPRESSION
    | SSL.OP_NO_RENEGOTIATION
    | SSL.OP_CIPHER_SERVER_PREFERENCE
    | SSL.OP_SINGLE_ECDH_USE
)


def new_context(identity: Identity | None = None) -> SSL.Context:
    """A context with our defaults, to be used by one end and for any number of connections.

    :param identity: our own certificate.
    :raises ConfigurationError: OpenSSL does not take that certificate.
    """
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(OPTIONS)
    # Idle connections then hold no buffers; there may be very many.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    # Tickets are the client's to keep: nothing is to be kept here.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    if identity is not None:
        identity.put_into(context)
    context.set_cipher_list(CIPHERS)
    return context
