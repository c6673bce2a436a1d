"""Why no answer came, in words.

Twisted wraps what went wrong on a connection several times; what matters to
the operator is the innermost reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet import error as network
from twisted.internet.defer import TimeoutError as Late
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed
from twisted.web.http import PotentialDataLoss

from stacksync.errors import Unavailable
from stacksync.http_client.body import BodyTooLong
from stacksync.tls import ServerNotTrusted, tls_problem


class NoAnswer(Unavailable):
    """No whole HTTP answer came; whether the request had an effect is not known."""


class CertificateRefused(NoAnswer):
    """The server could not prove who it is: another try would not help."""


def no_answer(part: str, request: str, error: BaseException) -> NoAnswer | None:
    """The error to raise instead of what Twisted raised; ``None`` if it is about something else.

    :param request: what was asked, without secrets: ``GET https://host/path``.
    """
    if isinstance(error, NoAnswer):
        return error
    reasons = list(_reasons(error))
    for reason in reasons:
        if isinstance(reason, ServerNotTrusted):
            return CertificateRefused(part, f"{request}: {reason}")
    for reason in reasons:
        if (problem := _problem(reason)) is not None:
            return NoAnswer(part, f"{request}: {problem}")
    return None


def _reasons(error: BaseException) -> Iterator[BaseException]:
    """The error and all that is wrapped in it, the innermost first."""
    for failure in getattr(error, "reasons", None) or ():
        if isinstance(failure, Failure) and failure.value is not None:
            yield from _reasons(failure.value)
    yield error


def _problem(error: BaseException) -> str | None:
    if (problem := tls_problem(error)) is not None:
        return problem
    match error:
        case network.ConnectionRefusedError():
            return "nothing listens there (connection refused)"
        case network.DNSLookupError():
            return "there is no host of this name"
        case Late() | network.TimeoutError() | network.UserError():
            return "no answer in time"
        case network.ConnectError():
            return f"no connection ({error})"
        case BodyTooLong():
            return str(error)
        case network.ConnectionLost() | PotentialDataLoss():
            return "the connection was lost before the whole answer was here"
        case OSError():
            return f"no connection ({error.strerror or error})"
        case _ if isinstance(error, ResponseFailed) or type(error).__module__.startswith("twisted"):
            return "the connection ended without an answer that is HTTP"
    return None
