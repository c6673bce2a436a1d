"""Why there is no TLS connection, in words for the operator."""

from __future__ import annotations

from OpenSSL import SSL

from stacksync.tls.identity import reason_of

_NOT_TLS = ("wrong version number", "packet length too long", "record layer failure")
_OUR_CERTIFICATE = {
    "certificate required": "asks for a certificate of ours",
    "alert bad certificate": "does not take our certificate",
    "alert unknown ca": "does not know who has signed our certificate",
    "alert certificate unknown": "does not take our certificate",
    "alert certificate expired": "says that our certificate has expired",
    "alert certificate revoked": "says that our certificate was revoked",
    "alert unsupported certificate": "does not take our kind of certificate",
}


class ServerNotTrusted(Exception):
    """A server could not prove who it is; the message says why, and which option is about it."""


def tls_problem(error: BaseException, certificate_option: str = "") -> str | None:
    """What is wrong with a connection, if it is about TLS.

    :param certificate_option: which setting names our own certificate, if one can.
    """
    if isinstance(error, ServerNotTrusted):
        return str(error)
    if not isinstance(error, SSL.Error):
        return None
    reason = reason_of(error)
    for alert, problem in _OUR_CERTIFICATE.items():
        if alert in reason:
            advice = f": {certificate_option} names it" if certificate_option else ""
            return f"the server {problem}{advice}"
    if any(sign in reason for sign in _NOT_TLS):
        return "no TLS connection: what listens there may not speak TLS"
    if "protocol version" in reason or "unsupported protocol" in reason:
        return "no TLS connection: the server speaks neither TLS 1.2 nor 1.3"
    return f"no TLS connection: what listens there may not speak TLS ({reason})"
